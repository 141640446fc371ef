//! Which program of the watched machine a flow belongs to: the kernel's tables of sockets, looked at several times a second.
//!
//! A socket that opens and closes between two looks is missed: the kernel keeps no record of it that needs no right to trace it.

use crate::model::{Flow, FlowProcess, Proto, Ts};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Between two looks, at least; a look that takes long is rested from ten times as long.
const PAUSE: Duration = Duration::from_millis(50);
const REST: u32 = 10;
/// Sockets are remembered this long after they were last seen: flows are written when they end.
const MEMORY: Duration = Duration::from_secs(900);
/// Sockets remembered; beyond, those seen longest ago go first.
const MOST: usize = 65_536;
/// Characters kept of a command line.
const COMMAND_CHARS: usize = 300;

/// A process.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Owner {
    pid: u32,
    executable: String,
    command: String,
}

/// A socket, as the kernel lists it.
#[derive(Clone, Debug)]
struct Socket {
    proto: Proto,
    local: SocketAddr,
    remote: SocketAddr,
    uid: u32,
    inode: u64,
}

/// Someone's socket.
#[derive(Clone, Debug)]
struct Known {
    owner: Arc<Owner>,
    uid: u32,
    seen: Instant,
}

type Ends = (Proto, SocketAddr, SocketAddr);

/// What was seen of sockets.
#[derive(Default)]
struct Book {
    /// With both ends.
    connected: HashMap<Ends, Known, ahash::RandomState>,
    /// With one: listening, or datagrams from anybody.
    bound: HashMap<(Proto, u16), Known, ahash::RandomState>,
    /// Addresses of this machine.
    ours: BTreeSet<IpAddr>,
    users: BTreeMap<u32, String>,
}

/// Looks at the sockets until it is told to stop.
pub struct Programs {
    book: Arc<Mutex<Book>>,
}

impl Programs {
    /// Starts to look, with a thread that keeps the right to see other users' processes and no other. `ours` are the machine's addresses.
    pub fn start(ours: BTreeSet<IpAddr>, stop: &Arc<AtomicBool>) -> std::io::Result<Self> {
        let book = Arc::new(Mutex::new(Book { ours, users: users(), ..Book::default() }));
        let (shared, stop) = (book.clone(), stop.clone());
        std::thread::Builder::new().name("programs".into()).spawn(move || {
            // Without these rights only the user's own programs are named: less, but nothing wrong.
            let _ = crate::capture::live::give_up(crate::capture::live::Rights::SeeProcesses);
            let mut owners = HashMap::new();
            while !stop.load(Relaxed) {
                let began = Instant::now();
                look(&shared, &mut owners);
                std::thread::sleep(PAUSE.max(began.elapsed() * REST));
            }
        })?;
        Ok(Self { book })
    }

    /// The programs at the ends of flows that ended.
    pub fn of(&self, flows: &[Flow]) -> Vec<FlowProcess> {
        let book = lock(&self.book);
        flows.iter().filter(|flow| matches!(flow.proto, Proto::Tcp | Proto::Udp)).flat_map(|flow| book.of(flow)).collect()
    }
}

fn lock(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Book {
    fn of(&self, flow: &Flow) -> Vec<FlowProcess> {
        let orig = SocketAddr::new(flow.orig_h, flow.orig_p);
        let resp = SocketAddr::new(flow.resp_h, flow.resp_p);
        let ends = [(true, orig, resp), (false, resp, orig)];
        let known = ends.into_iter().filter_map(|(originator, local, remote)| {
            let known = self.find(flow.proto, local, remote)?;
            Some(self.row(flow.id, flow.ts_ns, originator, known))
        });
        known.collect()
    }

    fn find(&self, proto: Proto, local: SocketAddr, remote: SocketAddr) -> Option<&Known> {
        let bound = || self.bound.get(&(proto, local.port())).filter(|_| self.ours.contains(&local.ip()));
        self.connected.get(&(proto, local, remote)).or_else(bound)
    }

    fn row(&self, flow: crate::model::FlowId, ts_ns: Ts, originator: bool, known: &Known) -> FlowProcess {
        FlowProcess {
            flow,
            ts_ns,
            originator,
            pid: known.owner.pid,
            executable: known.owner.executable.clone(),
            command: known.owner.command.clone(),
            uid: known.uid,
            user: self.users.get(&known.uid).cloned().unwrap_or_default(),
        }
    }

    fn note(&mut self, socket: &Socket, owner: Arc<Owner>) {
        let known = Known { owner, uid: socket.uid, seen: Instant::now() };
        if socket.remote.port() == 0 {
            self.bound.insert((socket.proto, socket.local.port()), known);
        } else {
            self.ours.insert(socket.local.ip());
            self.connected.insert((socket.proto, socket.local, socket.remote), known);
        }
    }

    fn forget(&mut self) {
        self.connected.retain(|_, known| known.seen.elapsed() < MEMORY);
        self.bound.retain(|_, known| known.seen.elapsed() < MEMORY);
        if self.connected.len() > MOST {
            let mut seen: Vec<Instant> = self.connected.values().map(|known| known.seen).collect();
            seen.sort_unstable();
            let border = seen.get(seen.len() - MOST / 2).copied();
            self.connected.retain(|_, known| border.is_none_or(|border| known.seen >= border));
        }
    }
}

/// Names of users, by id.
fn users() -> BTreeMap<u32, String> {
    let text = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let user = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        Some((fields.nth(1)?.parse().ok()?, name.to_string()))
    };
    text.lines().filter_map(user).collect()
}

/// One look. `owners` remembers which process holds which socket: going through all processes is what costs.
fn look(book: &Mutex<Book>, owners: &mut HashMap<u64, Arc<Owner>>) {
    let sockets = system::sockets();
    let there: BTreeSet<u64> = sockets.iter().map(|socket| socket.inode).collect();
    owners.retain(|inode, _| there.contains(inode));
    let strangers: BTreeSet<u64> = there.into_iter().filter(|inode| *inode != 0 && !owners.contains_key(inode)).collect();
    if !strangers.is_empty() {
        owners.extend(system::owners(&strangers));
    }
    let mut book = lock(book);
    for socket in &sockets {
        if let Some(owner) = owners.get(&socket.inode) {
            book.note(socket, owner.clone());
        }
    }
    book.forget();
}

#[cfg(target_os = "linux")]
mod system {
    use super::{COMMAND_CHARS, Owner, Socket};
    use crate::model::Proto;
    use procfs::process::{FDTarget, Process, all_processes};
    use std::collections::{BTreeSet, HashMap};
    use std::net::SocketAddr;
    use std::sync::Arc;

    /// An IPv4 address that travels in an IPv6 socket is an IPv4 address on the wire.
    fn plain(address: SocketAddr) -> SocketAddr {
        SocketAddr::new(address.ip().to_canonical(), address.port())
    }

    /// All TCP and UDP sockets of this network namespace.
    pub fn sockets() -> Vec<Socket> {
        let tcp = [procfs::net::tcp(), procfs::net::tcp6()].into_iter().flatten().flatten().map(|entry| Socket {
            proto: Proto::Tcp,
            local: plain(entry.local_address),
            remote: plain(entry.remote_address),
            uid: entry.uid,
            inode: entry.inode,
        });
        let udp = [procfs::net::udp(), procfs::net::udp6()].into_iter().flatten().flatten().map(|entry| Socket {
            proto: Proto::Udp,
            local: plain(entry.local_address),
            remote: plain(entry.remote_address),
            uid: entry.uid,
            inode: entry.inode,
        });
        tcp.chain(udp).collect()
    }

    /// Which processes hold these sockets.
    pub fn owners(wanted: &BTreeSet<u64>) -> HashMap<u64, Arc<Owner>> {
        let mut found = HashMap::new();
        // Processes come and go while they are looked at: what is gone is passed over.
        for process in all_processes().into_iter().flatten().flatten() {
            let sockets = process.fd().into_iter().flatten().flatten().filter_map(|fd| match fd.target {
                FDTarget::Socket(inode) if wanted.contains(&inode) => Some(inode),
                _ => None,
            });
            let sockets: Vec<u64> = sockets.collect();
            if sockets.is_empty() {
                continue;
            }
            let owner = Arc::new(describe(&process));
            found.extend(sockets.into_iter().map(|inode| (inode, owner.clone())));
        }
        found
    }

    fn describe(process: &Process) -> Owner {
        let path = process.exe().map(|path| path.display().to_string()).ok();
        let executable = path.or_else(|| process.stat().ok().map(|stat| stat.comm)).unwrap_or_default();
        let command = process.cmdline().unwrap_or_default().join(" ").chars().take(COMMAND_CHARS).collect();
        Owner { pid: process.pid().unsigned_abs(), executable, command }
    }
}

/// Elsewhere nothing is known.
#[cfg(not(target_os = "linux"))]
mod system {
    use super::{Owner, Socket};
    use std::collections::{BTreeSet, HashMap};
    use std::sync::Arc;

    pub fn sockets() -> Vec<Socket> {
        Vec::new()
    }

    pub fn owners(_wanted: &BTreeSet<u64>) -> HashMap<u64, Arc<Owner>> {
        HashMap::new()
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn both_ends_of_a_connection_of_ours_are_this_program() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (_server, _) = listener.accept().unwrap();
        let book = Mutex::new(Book::default());
        look(&book, &mut HashMap::new());
        let book = book.into_inner().unwrap();
        let (local, remote) = (client.local_addr().unwrap(), client.peer_addr().unwrap());
        let this = std::env::current_exe().unwrap().display().to_string();
        for (near, far) in [(local, remote), (remote, local)] {
            let known = book.find(Proto::Tcp, near, far).unwrap();
            assert_eq!((known.owner.pid, &known.owner.executable), (std::process::id(), &this));
        }
        assert!(book.find(Proto::Tcp, remote, SocketAddr::new(remote.ip(), 1)).is_some(), "by the port that it listens on");
    }
}
