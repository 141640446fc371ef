//! Which program of the watched machine a flow belongs to. The kernel is asked for the socket of each connection that this machine opens, at its first
//! packet, and its tables of all sockets are looked at several times a second besides.
//!
//! A socket whose program is gone before it was asked for is missed: the kernel keeps no record of it that needs no right to trace it.

use crate::capture::live::{Beginnings, Rights, give_up};
use crate::decode;
use crate::model::packet::Transport;
use crate::model::{Flow, FlowProcess, Packet, Proto, Ts};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Between two looks at all sockets, at least.
const PAUSE: Duration = Duration::from_millis(20);
/// A look, or a question, is rested from this many times as long as it took. Going through the kernel's table takes milliseconds, however few sockets there are;
const REST: u32 = 10;
/// asking for one takes far less, and so much rest may be owed before the next: connections come in bursts.
const OWED: Duration = Duration::from_millis(500);
/// Connections that may wait to be asked for; beyond, the looks at all are left.
const WAITING: usize = 256;
/// A socket that no process was seen to hold is looked for again after this time.
const AGAIN: Duration = Duration::from_secs(5);
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
    pub fn start(interfaces: &[String], ours: BTreeSet<IpAddr>, stop: &Arc<AtomicBool>) -> std::io::Result<Self> {
        let book = Arc::new(Mutex::new(Book { ours, users: users(), ..Book::default() }));
        let (tell, told) = sync_channel(WAITING);
        // Where an interface cannot be listened to twice, the looks at regular times are left.
        for beginnings in interfaces.iter().filter_map(|name| Beginnings::open(name).ok()) {
            let (tell, stop) = (tell.clone(), stop.clone());
            std::thread::Builder::new().name("beginnings".into()).spawn(move || herald(beginnings, &tell, &stop))?;
        }
        let (shared, stop) = (book.clone(), stop.clone());
        std::thread::Builder::new().name("programs".into()).spawn(move || {
            // Without these rights only the user's own programs are named: less, but nothing wrong.
            let _ = give_up(Rights::SeeProcesses);
            watch(&shared, &told, &stop);
            // Held until now, so that waiting takes its time where nobody tells.
            drop(tell);
        })?;
        Ok(Self { book })
    }

    /// The programs at the ends of flows that ended.
    pub fn of(&self, flows: &[Flow]) -> Vec<FlowProcess> {
        let book = lock(&self.book);
        flows.iter().filter(|flow| matches!(flow.proto, Proto::Tcp | Proto::Udp)).flat_map(|flow| book.of(flow)).collect()
    }
}

/// Tells of each connection that this machine opens.
fn herald(mut beginnings: Beginnings, tell: &SyncSender<Ends>, stop: &AtomicBool) {
    let _ = give_up(Rights::None);
    let mut packets = Vec::new();
    while !stop.load(Relaxed) {
        let Some(block) = beginnings.hear() else { break };
        block.iter().for_each(|frame| decode::frame(frame, &mut packets));
        // What finds no room is left to the looks at all sockets.
        for ends in packets.drain(..).filter_map(|packet| ends(&packet)) {
            let _ = tell.try_send(ends);
        }
    }
}

/// The ends of a packet, the sender's first.
fn ends(packet: &Packet) -> Option<Ends> {
    let (proto, sport, dport) = match &packet.transport {
        Transport::Tcp(tcp) => (Proto::Tcp, tcp.sport, tcp.dport),
        Transport::Udp(udp) => (Proto::Udp, udp.sport, udp.dport),
        _ => return None,
    };
    let ip = packet.ip()?;
    Some((proto, SocketAddr::new(ip.src, sport), SocketAddr::new(ip.dst, dport)))
}

/// Looks when told, and from time to time; never more than one part of time in [`REST`] each.
fn watch(book: &Mutex<Book>, told: &Receiver<Ends>, stop: &AtomicBool) {
    let mut owners = Owners::default();
    let mut asking = system::Asking::new();
    let (mut due, mut rested) = (Instant::now(), Instant::now());
    while !stop.load(Relaxed) {
        match told.recv_timeout(due.saturating_duration_since(Instant::now())) {
            Ok(ends) => {
                let began = Instant::now();
                // Who would have to wait is left to the next look.
                if began >= rested {
                    let asked = asking.as_mut().and_then(|asking| asking.socket(&ends));
                    note(book, &mut owners, asked.as_slice());
                    let earliest = began.checked_sub(OWED).unwrap_or(began);
                    rested = rested.max(earliest) + began.elapsed() * REST;
                }
            }
            Err(_) => {
                let began = Instant::now();
                look(book, &mut owners);
                due = Instant::now() + PAUSE.max(began.elapsed() * REST);
            }
        }
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

/// Which process holds which socket: going through all processes is what costs.
#[derive(Default)]
struct Owners {
    known: HashMap<u64, Arc<Owner>>,
    /// Looked for in vain, and when.
    unknown: HashMap<u64, Instant>,
}

impl Owners {
    /// Forgets sockets that are gone.
    fn forget(&mut self, there: &[Socket]) {
        let there: BTreeSet<u64> = there.iter().map(|socket| socket.inode).collect();
        self.known.retain(|inode, _| there.contains(inode));
        self.unknown.retain(|inode, since| there.contains(inode) && since.elapsed() < AGAIN);
    }

    /// Learns who holds these sockets. One without a number belongs to nobody any more.
    fn learn(&mut self, sockets: &[Socket]) {
        let is_strange = |inode: &u64| *inode != 0 && !self.known.contains_key(inode) && !self.unknown.contains_key(inode);
        let strangers: BTreeSet<u64> = sockets.iter().map(|socket| socket.inode).filter(is_strange).collect();
        if strangers.is_empty() {
            return;
        }
        self.known.extend(system::owners(&strangers));
        let now = Instant::now();
        self.unknown.extend(strangers.into_iter().filter(|inode| !self.known.contains_key(inode)).map(|inode| (inode, now)));
    }
}

/// One look at all sockets.
fn look(book: &Mutex<Book>, owners: &mut Owners) {
    let sockets = system::sockets();
    owners.forget(&sockets);
    note(book, owners, &sockets);
    lock(book).forget();
}

/// Writes down whose these sockets are.
fn note(book: &Mutex<Book>, owners: &mut Owners, sockets: &[Socket]) {
    owners.learn(sockets);
    let mut book = lock(book);
    for socket in sockets {
        if let Some(owner) = owners.known.get(&socket.inode) {
            book.note(socket, owner.clone());
        }
    }
}

#[cfg(target_os = "linux")]
mod system;

/// Elsewhere nothing is known.
#[cfg(not(target_os = "linux"))]
mod system {
    use super::{Ends, Owner, Socket};
    use std::collections::{BTreeSet, HashMap};
    use std::sync::Arc;

    pub struct Asking;

    impl Asking {
        pub fn new() -> Option<Self> {
            None
        }

        pub fn socket(&mut self, _ends: &Ends) -> Option<Socket> {
            None
        }
    }

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
        look(&book, &mut Owners::default());
        let book = book.into_inner().unwrap();
        let (local, remote) = (client.local_addr().unwrap(), client.peer_addr().unwrap());
        let this = std::env::current_exe().unwrap().display().to_string();
        for (near, far) in [(local, remote), (remote, local)] {
            let known = book.find(Proto::Tcp, near, far).unwrap();
            assert_eq!((known.owner.pid, &known.owner.executable), (std::process::id(), &this));
        }
        assert!(book.find(Proto::Tcp, remote, SocketAddr::new(remote.ip(), 1)).is_some(), "by the port that it listens on");
    }

    #[test]
    fn the_kernel_tells_the_socket_of_one_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (local, remote) = (client.local_addr().unwrap(), client.peer_addr().unwrap());
        let mut asking = system::Asking::new().unwrap();
        let socket = asking.socket(&(Proto::Tcp, local, remote)).unwrap();
        assert_eq!((socket.local, socket.remote), (local, remote));
        let book = Mutex::new(Book::default());
        note(&book, &mut Owners::default(), &[socket]);
        assert_eq!(book.into_inner().unwrap().find(Proto::Tcp, local, remote).unwrap().owner.pid, std::process::id());
        assert!(asking.socket(&(Proto::Tcp, remote, SocketAddr::new(remote.ip(), 1))).is_none_or(|socket| socket.remote.port() == 0));
        let resolver = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let asked = asking.socket(&(Proto::Udp, resolver.local_addr().unwrap(), remote)).unwrap();
        assert_eq!((asked.local.port(), asked.remote.port()), (resolver.local_addr().unwrap().port(), 0), "for anybody's datagrams");
    }
}
