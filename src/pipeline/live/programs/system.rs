//! What Linux says of sockets and processes: in `/proc`, and when asked for one socket (sock_diag(7)).

use super::{COMMAND_CHARS, Ends, Owner, Socket};
use crate::model::Proto;
use netlink_packet_core::{NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP, IPPROTO_UDP};
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, SocketId, StateFlags};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use procfs::Current;
use procfs::process::{FDTarget, Process};
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

/// A line to the kernel.
pub struct Asking {
    line: netlink_sys::Socket,
    answer: Vec<u8>,
}

impl Asking {
    /// `None` where the kernel has no such line.
    pub fn new() -> Option<Self> {
        let line = netlink_sys::Socket::new(NETLINK_SOCK_DIAG).ok()?;
        line.connect(&netlink_sys::SocketAddr::new(0, 0)).ok()?;
        // The kernel answers while it is asked: what is not there then does not come.
        line.set_non_blocking(true).ok()?;
        Some(Self { line, answer: vec![0; 4096] })
    }

    /// The socket with these ends, the near one first, or that takes what comes to the near one.
    pub fn socket(&mut self, (proto, local, remote): &Ends) -> Option<Socket> {
        // Of UDP the kernel wants to know the far end first ("swapped for historical reasons", net/ipv4/udp_diag.c).
        let (source, destination) = if *proto == Proto::Tcp { (local, remote) } else { (remote, local) };
        let socket_id = SocketId {
            source_port: source.port(),
            destination_port: destination.port(),
            source_address: source.ip(),
            destination_address: destination.ip(),
            interface_id: 0,
            cookie: [0xff; 8],
        };
        let family = if local.is_ipv4() { AF_INET } else { AF_INET6 };
        let protocol = if *proto == Proto::Tcp { IPPROTO_TCP } else { IPPROTO_UDP };
        let request = InetRequest { family, protocol, extensions: ExtensionFlags::empty(), states: StateFlags::all(), socket_id };
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST;
        let mut message = NetlinkMessage::new(header, SockDiagMessage::InetRequest(request).into());
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        self.line.send(&bytes, 0).ok()?;
        let length = self.line.recv(&mut &mut self.answer[..], 0).ok()?;
        let answer = NetlinkMessage::<SockDiagMessage>::deserialize(self.answer.get(..length)?).ok()?;
        let NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(found)) = answer.payload else { return None };
        let (id, uid, inode) = (&found.header.socket_id, found.header.uid, u64::from(found.header.inode));
        let local = plain(SocketAddr::new(id.source_address, id.source_port));
        let remote = plain(SocketAddr::new(id.destination_address, id.destination_port));
        Some(Socket { proto: *proto, local, remote, uid, inode })
    }
}

/// Which processes hold these sockets.
pub fn owners(wanted: &BTreeSet<u64>) -> HashMap<u64, Arc<Owner>> {
    let mut found = HashMap::new();
    // Processes come and go while they are looked at: what is gone is passed over.
    for process in youngest_first().into_iter().filter_map(|pid| Process::new(pid).ok()) {
        if found.len() == wanted.len() {
            break;
        }
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

/// All processes: the youngest may be gone soonest. Numbers are given upwards, and begin again from below when they run out.
fn youngest_first() -> Vec<i32> {
    let listed = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut pids: Vec<i32> = listed.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    let newest = procfs::LoadAverage::current().map_or(i32::MAX, |load| i32::try_from(load.latest_pid).unwrap_or(i32::MAX));
    pids.sort_unstable_by_key(|pid| std::cmp::Reverse((*pid <= newest, *pid)));
    pids
}

fn describe(process: &Process) -> Owner {
    let path = process.exe().map(|path| path.display().to_string()).ok();
    let executable = path.or_else(|| process.stat().ok().map(|stat| stat.comm)).unwrap_or_default();
    let command = process.cmdline().unwrap_or_default().join(" ").chars().take(COMMAND_CHARS).collect();
    Owner { pid: process.pid().unsigned_abs(), executable, command }
}
