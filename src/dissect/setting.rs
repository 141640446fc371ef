//! Where a conversation stands in its flow, and what is known for it from outside.

use crate::model::Keys;

/// Beneath what a conversation stands: a tunnel, TLS that was read, both, or neither. Each once, so that nothing nests without end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Level {
    tunnelled: bool,
    decrypted: bool,
}

impl Level {
    /// Some TLS above was read with known keys: nobody else could read this.
    pub fn is_decrypted(self) -> bool {
        self.decrypted
    }

    /// Sets the names of files apart: each level counts its own.
    pub fn tag(self) -> &'static str {
        match (self.decrypted, self.tunnelled) {
            (false, false) => "",
            (false, true) => "t",
            (true, false) => "d",
            (true, true) => "dt",
        }
    }
}

/// Where a conversation stands, and what is known for it.
#[derive(Clone, Debug, Default)]
pub struct Setting {
    /// Beneath what.
    pub level: Level,
    /// Keys for TLS; none where there can be no TLS.
    pub keys: Option<Keys>,
    /// Service of the flow before TLS took over (STARTTLS): it goes on within.
    pub carrier: &'static str,
}

impl Setting {
    /// Of the flow itself.
    pub fn of_flow(keys: &Keys) -> Self {
        Self { keys: Some(keys.clone()), ..Self::default() }
    }

    /// Inside of a tunnel that opens here; `None` within another.
    pub fn tunnelled(&self) -> Option<Self> {
        let level = Level { tunnelled: true, ..self.level };
        (!self.level.tunnelled).then(|| Self { level, keys: self.keys.clone(), carrier: "" })
    }

    /// Inside of TLS that is read here; `None` within another.
    pub fn decrypted(&self) -> Option<Self> {
        let level = Level { decrypted: true, ..self.level };
        (!self.level.decrypted).then(|| Self { level, ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_nests_without_end_and_no_two_levels_share_a_name() {
        let flow = Setting::default();
        let (tunnel, read) = (flow.tunnelled().unwrap(), flow.decrypted().unwrap());
        let both = [tunnel.decrypted().unwrap(), read.tunnelled().unwrap()];
        assert!(tunnel.tunnelled().is_none() && read.decrypted().is_none());
        assert!(both.iter().all(|setting| setting.tunnelled().is_none() && setting.decrypted().is_none()));
        let tags: std::collections::BTreeSet<_> = [&flow, &tunnel, &read, &both[0]].map(|setting| setting.level.tag()).into();
        assert_eq!(tags.len(), 4);
    }
}
