//! Rights: what opening an interface needs is given up before the first packet is read. Packets are hostile; a program that reads them
//! should be able to do as little as possible.

/// What is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// Nothing beyond what the user may do.
    None,
    /// Looking at other users' processes, to name programs.
    SeeProcesses,
}

/// Gives up all capabilities of this thread, and of those it starts from now on, but for what `keep` names and the thread has.
///
/// Capabilities exist on Linux alone; elsewhere there is nothing to give up.
#[cfg(target_os = "linux")]
pub fn give_up(keep: Rights) -> Result<(), String> {
    use caps::{CapSet, Capability, CapsHashSet};
    let wanted: CapsHashSet = match keep {
        Rights::None => CapsHashSet::new(),
        Rights::SeeProcesses => [Capability::CAP_SYS_PTRACE, Capability::CAP_DAC_READ_SEARCH].into_iter().collect(),
    };
    let said = |error: caps::errors::CapsError| error.to_string();
    let has = caps::read(None, CapSet::Permitted).map_err(said)?;
    let left: CapsHashSet = wanted.intersection(&has).copied().collect();
    // What is permitted goes last: the others cannot be more.
    caps::set(None, CapSet::Inheritable, &CapsHashSet::new()).map_err(said)?;
    caps::set(None, CapSet::Effective, &left).map_err(said)?;
    caps::set(None, CapSet::Permitted, &left).map_err(said)
}

/// Gives up what can be given up: nothing, on this system.
#[cfg(not(target_os = "linux"))]
pub fn give_up(_keep: Rights) -> Result<(), String> {
    Ok(())
}
