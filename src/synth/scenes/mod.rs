//! The scenarios: for each rule one capture that it must find, and one look-alike at which it must stay silent.

mod beacon;
mod channels;
mod clear;
mod domain;
mod exhaust;
mod exploits;
mod flood;
mod guessing;
mod identity;
mod implants;
mod lan;
mod link;
mod listed;
mod office;
mod plant;
mod post;
mod probes;
mod scans;
mod sealed;
mod shares;
mod tunnels;
mod upkeep;
mod volume;

pub(super) use office::Office;
pub(super) mod moves {
    //! Moves that the demo strings together, and that hide in a load.
    pub use super::beacon::{check_in, check_ins};
    pub use super::exploits::fetch_disguised;
    pub use super::guessing::{ssh_break_in, ssh_guess};
    pub use super::office::visit_plain;
    pub use super::scans::{Door, probe, probe_ports};
    pub use super::tunnels::dns_tunnel;
    pub use super::volume::transfer;
}

pub use listed::list;

use super::Capture;

/// A capture that can be made at any time, always with the same bytes.
pub struct Scenario {
    /// What to call it.
    pub name: &'static str,
    /// What it shows, in a line.
    pub shows: &'static str,
    /// The rule it proves; look-alikes prove that this rule stays silent.
    pub rule: &'static str,
    /// Whether that rule must fire.
    pub fires: bool,
    make: fn(&str) -> Capture,
}

impl Scenario {
    /// Tells the story.
    pub fn make(&self) -> Capture {
        (self.make)(self.name)
    }
}

const fn proof(name: &'static str, make: fn(&str) -> Capture, shows: &'static str) -> Scenario {
    Scenario { name, shows, rule: name, fires: true, make }
}

const fn look_alike(name: &'static str, rule: &'static str, make: fn(&str) -> Capture, shows: &'static str) -> Scenario {
    Scenario { name, shows, rule, fires: false, make }
}

/// All of them, each proof followed by its look-alike.
pub const SCENARIOS: &[Scenario] = &[
    proof("port-scan-vertical", scans::vertical, "One host tries 300 ports of a server with half-open SYNs; four are open."),
    look_alike(
        "port-scan-vertical-benign",
        "port-scan-vertical",
        scans::vertical_benign,
        "A monitor checks a server's open ports, a browser opens many connections, a program keeps calling a stopped service.",
    ),
    proof("port-scan-horizontal", scans::horizontal, "A workstation tries port 445 of 120 addresses; few answer."),
    look_alike(
        "port-scan-horizontal-benign",
        "port-scan-horizontal",
        scans::horizontal_benign,
        "A monitor reaches 40 hosts on one port, a mail gateway many servers; a few are down.",
    ),
    proof("port-scan-stealth", scans::stealth, "FIN, NULL and XMAS probes of one server."),
    look_alike(
        "port-scan-stealth-benign",
        "port-scan-stealth",
        scans::stealth_benign,
        "The capture begins in the middle of conversations, which end with FIN, keep-alives and idle resets.",
    ),
    proof("syn-flood", flood::syn, "230 SYNs a second from spoofed addresses for seven seconds; real clients no longer get in."),
    look_alike("syn-flood-benign", "syn-flood", flood::syn_benign, "A busy web server: 230 connections a second, all completed."),
    proof("sweep-arp", scans::sweep_arp, "A host asks for every address of its network; eleven answer."),
    look_alike(
        "sweep-arp-benign",
        "sweep-arp",
        scans::sweep_arp_benign,
        "A gateway asks for the hosts it serves, hosts announce themselves, one printer has gone.",
    ),
    proof("sweep-icmp", scans::sweep_icmp, "One host pings 120 addresses once; nine answer."),
    look_alike(
        "sweep-icmp-benign",
        "sweep-icmp",
        scans::sweep_icmp_benign,
        "A monitor pings its fifteen hosts all the time; a traceroute.",
    ),
    proof("dns-tunnel", tunnels::dns, "Data leaves in base32 labels and comes back in TXT records."),
    look_alike(
        "dns-tunnel-benign",
        "dns-tunnel",
        tunnels::dns_benign,
        "Names of a content network, antivirus look-ups by hash, block lists, DKIM keys and IPv6 reverse look-ups.",
    ),
    proof("beacon", beacon::https, "HTTPS check-ins every 45 seconds with jitter, some missed, one burst of tasking."),
    look_alike(
        "beacon-benign",
        "beacon",
        beacon::benign,
        "NTP, DHCP renewals, all hosts polling one update server, resets of a connection long forgotten, and people who browse.",
    ),
    proof("password-guessing", guessing::guessing, "SSH and FTP passwords tried one after another, none right."),
    look_alike(
        "password-guessing-benign",
        "password-guessing",
        guessing::guessing_benign,
        "A person mistypes twice, a job logs in with its key every minute, many log in to FTP at once.",
    ),
    proof("guessing-success", guessing::success, "FTP and SSH passwords tried until one is right, and then used."),
    look_alike(
        "guessing-success-benign",
        "guessing-success",
        guessing::success_benign,
        "People who mistype once or twice and then log in.",
    ),
    proof("exfil-volume", volume::exfil, "60 MB leave a workstation for one outside host over TLS."),
    look_alike(
        "exfil-volume-benign",
        "exfil-volume",
        volume::exfil_benign,
        "A backup to an inside server, a large download, a video call.",
    ),
    proof("icmp-tunnel", tunnels::icmp, "Ciphertext in echo requests, other ciphertext in the replies."),
    look_alike("icmp-tunnel-benign", "icmp-tunnel", tunnels::icmp_benign, "Steady pings of several sizes with fixed patterns, traceroute."),
    proof("arp-spoof", lan::spoof, "A host claims to be the gateway to its neighbour and the neighbour to the gateway, and relays."),
    look_alike(
        "arp-spoof-benign",
        "arp-spoof",
        lan::spoof_benign,
        "A VRRP fail-over, an address leased to another host, announcements after boot.",
    ),
    proof("cleartext-credentials", clear::credentials, "Passwords in FTP, HTTP Basic, Telnet and POP3."),
    look_alike(
        "cleartext-credentials-benign",
        "cleartext-credentials",
        clear::credentials_benign,
        "FTP and POP3 that turn to TLS, a 401 left unanswered, a bearer token over TLS, a Telnet time service.",
    ),
    proof(
        "executable-download",
        exploits::download,
        "A Windows program served as a picture by a bare address, and an ELF file fetched by curl.",
    ),
    look_alike(
        "executable-download-benign",
        "executable-download",
        exploits::download_benign,
        "A signed installer with its right type from a named host, a package update, real pictures from a bare address.",
    ),
    proof("log4shell", exploits::log4shell, "A JNDI look-up in a request header; the server calls back over LDAP and fetches a class."),
    look_alike(
        "log4shell-benign",
        "log4shell",
        exploits::log4shell_benign,
        "A security blog that prints the string, a search for it, and an address book over LDAP.",
    ),
    proof("shellshock", exploits::shellshock, "A function definition in a request header; the answer holds the output of id."),
    look_alike(
        "shellshock-benign",
        "shellshock",
        exploits::shellshock_benign,
        "A page that explains it, a posted script with functions, a user agent with brackets.",
    ),
    proof("reflection-flood", probes::reflected, "160 time servers answer a question that the victim never asked."),
    proof("web-attack", probes::web_attack, "SQL injection until the database complains, and a path out of the site that works."),
    look_alike("web-attack-benign", "web-attack", probes::web_attack_benign, "Searches for words that SQL and shells use too."),
    proof("web-scan", probes::web_scan, "Eighty paths of a word list, nearly all missing."),
    look_alike("web-scan-benign", "web-scan", probes::web_scan_benign, "A reader goes through a site; a few links are dead."),
    proof("heartbleed", probes::heartbeat, "A heartbeat of three bytes asks for 16,384, and gets them."),
    proof("eternalblue", probes::groom, "SMB connections of one announced size; the victim then calls the attacker."),
    proof("sigred", probes::long_signature, "A DNS answer over TCP with a signature record of nearly 64 kB."),
    proof("cleartext-shell", implants::shell, "A workstation calls out and offers its command line."),
    proof("rat-gh0st", implants::rat, "A remote access tool of the Gh0st family reports and takes orders."),
    proof("crypto-mining", implants::miner, "A workstation mines for a pool."),
    proof("raw-program", implants::next_stage, "A loader is handed a program with its length before it."),
    proof("c2-certificate", implants::default_certificate, "TLS with the default certificate of a remote access tool."),
    proof("odd-certificate", implants::own_certificate_outside, "TLS on an odd port, certificate made the day before for ten years."),
    look_alike(
        "odd-certificate-benign",
        "odd-certificate",
        implants::own_certificate_at_home,
        "A printer with its own certificate, a shop with one of an authority, a call between browsers.",
    ),
    proof("tor-client", implants::tor, "Three relays under made-up names that nobody looked up."),
    proof("bare-post", implants::post, "Reports posted to a bare address under made-up paths."),
    proof("dga", implants::algorithm, "Forty made-up domains, the last of which exists."),
    look_alike("dga-benign", "dga", implants::wrong_names, "A browser's three probes, and names with the wrong suffix."),
    proof("peer-to-peer-bot", implants::peers, "A bot pings 120 peers all over the Internet with messages of one size."),
    proof("remote-service-execution", domain::service, "A program becomes a service of another host; a service carries a command."),
    look_alike(
        "remote-service-execution-benign",
        "remote-service-execution",
        domain::service_benign,
        "An administrator starts a service, and copies a manual to another host.",
    ),
    proof("remote-task", domain::task, "A task is registered on another host, run and deleted."),
    look_alike("remote-task-benign", "remote-task", domain::task_benign, "An administrator lists tasks and runs one."),
    proof("remote-wmi-dcom", domain::wmi_run, "A method of WMI starts a program whose output is fetched."),
    look_alike("remote-wmi-dcom-benign", "remote-wmi-dcom", domain::wmi_benign, "A monitor asks questions of WMI."),
    proof("dcsync", domain::dcsync, "A workstation replicates the directory."),
    look_alike("dcsync-benign", "dcsync", domain::dcsync_benign, "Two domain controllers replicate each other."),
    proof("zerologon", domain::zerologon, "Credentials of zeros, until a domain controller takes them."),
    proof("printnightmare", domain::driver, "A domain controller is told to install a printer driver from the attacker's share."),
    proof("password-spraying", domain::spray, "One password for 24 accounts."),
    look_alike("password-spraying-benign", "password-spraying", domain::spray_benign, "Many people log in through one host; some mistype."),
    proof(
        "intel-match",
        listed::known,
        "Two workstations meet a domain, a network and a URL that a list names; the list comes with the capture.",
    ),
    look_alike(
        "intel-match-benign",
        "intel-match",
        listed::unknown,
        "A list that names a domain long expired, an inside address and names that are not asked for.",
    ),
    proof("stealer-upload", implants::stealer, "A program asks for its public address and stores what it gathered by FTP."),
    proof("kerberos-user-enumeration", identity::enumeration, "Fourteen account names asked for in a second; most do not exist."),
    look_alike(
        "kerberos-user-enumeration-benign",
        "kerberos-user-enumeration",
        identity::enumeration_benign,
        "A gateway logs many people in; some mistype their name.",
    ),
    proof("kerberoasting", identity::roasting, "Service accounts are listed, and tickets of six taken with RC4."),
    look_alike(
        "kerberoasting-benign",
        "kerberoasting",
        identity::roasting_benign,
        "A login takes tickets of five services, one of them old.",
    ),
    proof("asrep-roasting", identity::replies, "Accounts without pre-authentication are listed and asked for replies with RC4."),
    look_alike("asrep-roasting-benign", "asrep-roasting", identity::replies_benign, "One old program that logs in without proof."),
    proof("overpass-the-hash", identity::old_key, "A login with an RC4 key alone, on a host that otherwise offers AES."),
    look_alike(
        "overpass-the-hash-benign",
        "overpass-the-hash",
        identity::old_key_benign,
        "A login with AES, and one in a domain that has nothing newer than RC4.",
    ),
    proof("stolen-ticket", identity::stolen, "A ticket of one workstation is shown by another."),
    look_alike(
        "stolen-ticket-benign",
        "stolen-ticket",
        identity::stolen_benign,
        "One person on two workstations, each with a ticket of its own.",
    ),
    proof("directory-discovery", identity::mapping, "Administrators, delegation, trusts and weak accounts are searched for."),
    look_alike("directory-discovery-benign", "directory-discovery", identity::mapping_benign, "An address book looks people up."),
    proof("coercion", identity::forced, "A domain controller is made to log in at the attacker's."),
    look_alike("coercion-benign", "coercion", identity::forced_benign, "A workstation watches a print queue."),
    proof("ntlm-relay", identity::relayed, "A login is handed on to another host, which lets it in."),
    look_alike("ntlm-relay-benign", "ntlm-relay", identity::relayed_benign, "Two logins one after the other, each with its own answer."),
    proof("name-poisoning", identity::poisoned, "One host answers to every name, and gets a login."),
    look_alike("name-poisoning-benign", "name-poisoning", identity::poisoned_benign, "Hosts answer to their own names."),
    proof("dhcp-starvation", identity::starved, "A hundred and fifty made-up cards ask for leases."),
    look_alike("dhcp-starvation-benign", "dhcp-starvation", identity::starved_benign, "Workstations start after a power cut."),
    proof("rogue-dhcp", identity::second_server, "A workstation hands out leases that make it the router."),
    look_alike("rogue-dhcp-benign", "rogue-dhcp", identity::second_server_benign, "Another server takes over half an hour later."),
    proof("host-report", implants::report, "Names of computer and user with a mark, posted to a bare address."),
    look_alike("host-report-benign", "host-report", implants::report_of_a_page, "A page counts a visit; a form names computer and user."),
    proof("made-up-domain", implants::hexadecimal, "Orders fetched from a domain of hexadecimal digits."),
    look_alike(
        "made-up-domain-benign",
        "made-up-domain",
        implants::names_with_digits,
        "Names with digits that people chose, and hashes of a content network.",
    ),
    proof("nameless-tls", implants::without_a_name, "TLS held open to a bare address."),
    look_alike("nameless-tls-benign", "nameless-tls", implants::with_a_name, "A page held open under its name, a short call without one."),
    proof("remote-desktop-command", identity::unseen_desktop, "Commands typed into a remote desktop whose picture is never fetched."),
    look_alike(
        "remote-desktop-command-benign",
        "remote-desktop-command",
        identity::seen_desktop,
        "A person works on another desktop; another session is left at once.",
    ),
    proof("datagram-flood", flood::datagrams, "A thousand datagrams a second from forty hosts to any port."),
    look_alike("datagram-flood-benign", "datagram-flood", flood::datagrams_benign, "A video between two sockets."),
    proof("exposed-admin", guessing::open_door, "A stranger logs in to the file shares from outside."),
    look_alike("exposed-admin-benign", "exposed-admin", guessing::closed_door, "A stranger knocks in vain."),
    proof("controller-tampering", plant::stopped, "Both controllers of a plant are stopped by a workstation."),
    look_alike(
        "controller-tampering-benign",
        "controller-tampering",
        plant::stopped_benign,
        "A station reads and sets values all the time; an engineer looks at a controller.",
    ),
    proof("control-by-stranger", plant::stranger, "A workstation sets ten registers of a controller that a station runs."),
    look_alike(
        "control-by-stranger-benign",
        "control-by-stranger",
        plant::stranger_benign,
        "Two operator stations run a controller; a third host only reads.",
    ),
    proof(
        "controller-enumeration",
        plant::enumeration,
        "Units, functions and registers are tried out, and neighbours asked what they are.",
    ),
    look_alike(
        "controller-enumeration-benign",
        "controller-enumeration",
        plant::enumeration_benign,
        "A station polls units behind a gateway, two of which are off.",
    ),
    proof("ransomware-smb", shares::encrypted, "Files of a share become noise and get another ending; a note in each folder."),
    look_alike(
        "ransomware-smb-benign",
        "ransomware-smb",
        shares::encrypted_benign,
        "Logs are rotated, documents worked on, a packed backup written.",
    ),
    proof("file-hoarding", shares::hoarded, "A workstation reads all folders of a share, mailboxes and key files among them."),
    look_alike(
        "file-hoarding-benign",
        "file-hoarding",
        shares::hoarded_benign,
        "Somebody copies a folder of pictures; a machine builds what lies on NFS.",
    ),
    proof("rogue-router", link::second_router, "A guest announces itself as the better IPv6 router."),
    look_alike(
        "rogue-router-benign",
        "rogue-router",
        link::second_router_benign,
        "Two routers back each other up; a third announces no default route.",
    ),
    proof("rogue-dhcpv6", link::six, "A guest hands out IPv6 addresses and itself as the resolver."),
    look_alike("rogue-dhcpv6-benign", "rogue-dhcpv6", link::six_benign, "The router of a home hands out addresses and resolves names."),
    proof("mac-flooding", link::cards, "Frames from and to nine hundred cards that nobody has."),
    look_alike("mac-flooding-benign", "mac-flooding", link::cards_benign, "Guests of a radio network announce themselves."),
    proof("slow-http", exhaust::slow, "Sixty connections to a web server whose requests never end."),
    look_alike("slow-http-benign", "slow-http", exhaust::slow_benign, "A slow server is waited for; two uploads trickle."),
    proof("http-flood", exhaust::requests, "A hundred and fifty requests a second for one page; the server only says that it cannot."),
    look_alike("http-flood-benign", "http-flood", exhaust::requests_benign, "A load test, all of it answered."),
    proof("fragment-attack", exhaust::torn, "Pieces of packets that contradict each other, reach too far, or stay alone."),
    look_alike(
        "fragment-attack-benign",
        "fragment-attack",
        exhaust::torn_benign,
        "Large datagrams in pieces; a few are lost or come twice.",
    ),
    proof("port-scan-distributed", exhaust::shared_out, "Twenty-four hosts try six ports of a server each, none twice."),
    look_alike(
        "port-scan-distributed-benign",
        "port-scan-distributed",
        exhaust::shared_out_benign,
        "Strangers knock at the same well-known ports.",
    ),
    proof("default-community", upkeep::known_word, "Two switches are read and one written to with the community they came with."),
    look_alike(
        "default-community-benign",
        "default-community",
        upkeep::known_word_benign,
        "A monitor reads switches with a word of their own.",
    ),
    proof("device-config-theft", upkeep::copied, "A router is told over SNMP to send its configuration away, and does."),
    look_alike("device-config-theft-benign", "device-config-theft", upkeep::copied_benign, "A router saves its configuration of its own."),
    proof("webshell", channels::web_shell, "A page that runs what it is sent: commands, code, sealed posts."),
    look_alike("webshell-benign", "webshell", channels::forms, "Forms whose words are names of commands, too."),
    proof("odd-port", channels::borrowed_port, "SSH goes out through the port of DNS."),
    look_alike("odd-port-benign", "odd-port", channels::own_ports, "SSH and the web on their own ports; a knock at the wrong door."),
    proof("held-channel", channels::held, "A protocol of its own, held open on port 443."),
    look_alike("held-channel-benign", "held-channel", channels::held_by_name, "A device's service on a port of its own, found by name."),
    proof("false-browser", channels::no_browser, "A program posts under the name of a browser."),
    look_alike("false-browser-benign", "false-browser", channels::a_browser, "A browser, and a program that says its own name."),
    proof("irc-bot", channels::orders, "A bot hears its orders in a chat room."),
    look_alike("irc-bot-benign", "irc-bot", channels::chatter, "People chat, one asks a helpful robot."),
    proof("outside-proxy", channels::proxied, "A workstation goes through a SOCKS proxy outside."),
    look_alike("outside-proxy-benign", "outside-proxy", channels::own_proxy, "The office's own proxy; one outside that is knocked at."),
    proof("fast-flux", channels::wandering, "A name leads to fifteen ends of the Internet in turn."),
    look_alike("fast-flux-benign", "fast-flux", channels::by_turns, "A content network by turns, time servers, mirrors that last."),
    proof("tls-downgrade", sealed::held_down, "TLS 1.3 is stripped from an offer; the server marks its answer."),
    look_alike("tls-downgrade-benign", "tls-downgrade", sealed::as_offered, "An old client at a new server, and the other way round."),
    proof("unprotected-tls", sealed::unprotected, "Keys are agreed on with nobody proven."),
    look_alike("unprotected-tls-benign", "unprotected-tls", sealed::protected, "An old suite that still encrypts."),
    proof("mail-program", post::program, "A message brings a program under the name of an invoice."),
    look_alike("mail-program-benign", "mail-program", post::papers, "Messages with a picture and a text."),
    proof("mass-mail", post::spam, "A workstation delivers to two dozen mail servers."),
    look_alike("mass-mail-benign", "mass-mail", post::relay, "A mail server passes mail on to many."),
];

/// The capture of that name, made now.
pub fn scenario(name: &str) -> Option<Capture> {
    SCENARIOS.iter().find(|scenario| scenario.name == name).map(Scenario::make)
}
