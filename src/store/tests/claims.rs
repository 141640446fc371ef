//! What is claimed of hosts: of whom, by whom, how surely, and what is not claimed.

use super::*;
use crate::model::event::{Kerberos, Nfs, Rpc, RpcCall, Tls};
use crate::model::windows::Ntlm;

/// All claims of one kind about a host, best first, as `value by teller`.
fn claims(case: &Written, ip: &str, claim: &str) -> Vec<String> {
    let sql = format!(
        "SELECT DISTINCT value || ' by ' || said_by, max(confidence) FROM host_claims WHERE ip = '{ip}' AND claim = '{claim}' GROUP BY ALL ORDER BY 2 DESC, 1"
    );
    query(case.open.connection(), &sql).expect(&sql).rows.iter().map(|row| row[0].to_string()).collect()
}

fn dns(query: &str, answers: &[(&str, &str)]) -> Dns {
    Dns {
        query: Some(query.into()),
        rcode: Some(0),
        answers: answers.iter().map(|(_, answer)| (*answer).into()).collect(),
        answer_types: answers.iter().map(|(rtype, _)| (*rtype).into()).collect(),
        kind: "dns",
        ..Dns::default()
    }
}

fn asked(frame: u64) -> Flow {
    Flow { resp_h: [10, 0, 0, 1].into(), resp_p: 53, proto: Proto::Udp, ..flow(frame) }
}

#[test]
fn an_answer_of_a_resolver_speaks_of_the_address_in_it_and_of_neither_end() {
    let told = event(&asked(100), Event::Dns(Box::new(dns("Www.Example.ORG", &[("CNAME", "edge.cdn.example"), ("A", "192.0.2.7")]))));
    let case = sealed(&Options::default(), vec![flow(1), asked(100)], vec![told]);
    assert_eq!(claims(&case, "192.0.2.7", "alias"), ["www.example.org by others"]);
    assert_eq!(claims(&case, "192.0.2.7", "name"), ["edge.cdn.example by others"], "the name at the end of the chain has the address");
    assert_eq!(case.cell("SELECT names FROM hosts WHERE ip = '192.0.2.7'"), "[www.example.org, edge.cdn.example]");
    assert!(claims(&case, "10.0.0.1", "name").is_empty() && claims(&case, "10.0.0.5", "name").is_empty());
    assert_eq!(case.cell("SELECT frame FROM host_claims WHERE claim = 'alias'"), "103");
}

#[test]
fn both_ends_of_ntlm_are_named_each_by_itself() {
    let ntlm = Ntlm {
        username: Some("ann".into()),
        domainname: Some("CORP".into()),
        hostname: Some("LAPTOP-7".into()),
        server_nb_computer_name: Some("FILES".into()),
        server_dns_computer_name: Some("files.corp.example".into()),
        server_dns_domain_name: Some("corp.example".into()),
        client_version: Some("10.0.17763".into()),
        success: Some(true),
        over: "smb",
        answer_frame: Some(7),
        challenge_frame: Some(6),
        ..Ntlm::default()
    };
    let smb = Flow { resp_p: 445, service: "smb,ntlm".into(), ..flow(1) };
    let case = sealed(&Options::default(), vec![smb.clone()], vec![event(&smb, Event::Ntlm(Box::new(ntlm)))]);
    assert_eq!(claims(&case, "10.0.0.5", "name"), ["laptop-7 by host"]);
    assert_eq!(claims(&case, "192.0.2.7", "name"), ["files by host", "files.corp.example by host"]);
    assert_eq!(claims(&case, "10.0.0.5", "user"), ["CORP\\ann by host"]);
    assert_eq!(claims(&case, "192.0.2.7", "account"), ["CORP\\ann by host"]);
    assert_eq!(claims(&case, "192.0.2.7", "domain"), ["corp.example by host"]);
    assert_eq!(case.cell("SELECT value FROM host_claims WHERE claim = 'os' AND ground = 'version'"), "Windows 10 1809 / Server 2019");
    assert_eq!(case.cell("SELECT frame FROM host_claims WHERE value = 'files'"), "6", "the challenge says so");
}

#[test]
fn a_login_that_was_refused_is_believed_less_and_gives_the_server_no_account() {
    let login = |success, user: &str| {
        let credential = Credential { service: "ftp", user: Some(user.into()), success, ..Credential::default() };
        event(&flow(1), Event::Credential(Box::new(credential)))
    };
    let case = sealed(&Options::default(), vec![flow(1)], vec![login(Some(false), "root"), login(Some(true), "ann"), login(None, "bob")]);
    assert_eq!(claims(&case, "10.0.0.5", "user"), ["ann by host", "bob by host", "root by host"]);
    assert_eq!(claims(&case, "192.0.2.7", "account"), ["ann by host"]);
}

#[test]
fn an_account_that_nobody_has_is_no_user_of_the_host_that_guessed_it() {
    let asked = |code| {
        let kerberos = Kerberos {
            request_type: "AS",
            client: Some("guess/CORP".into()),
            success: Some(false),
            error_code: Some(code),
            ..Kerberos::default()
        };
        event(&flow(1), Event::Kerberos(Box::new(kerberos)))
    };
    let unknown = sealed(&Options::default(), vec![flow(1)], vec![asked(6)]);
    assert!(claims(&unknown, "10.0.0.5", "user").is_empty());
    let wrong = sealed(&Options::default(), vec![flow(1)], vec![asked(24)]);
    assert_eq!(claims(&wrong, "10.0.0.5", "user"), ["guess@CORP by host"]);
}

fn netbios(query: &str, suffix: u8, group: bool) -> Dns {
    Dns {
        query: Some(query.into()),
        kind: "nbns",
        opcode: 5,
        opcode_name: "netbios-registration".into(),
        nb_suffix: Some(suffix),
        nb_group: Some(group),
        ..Dns::default()
    }
}

#[test]
fn a_workgroup_is_a_domain_and_no_name_of_its_members() {
    // To an address of the whole network, from which nobody answers.
    let flow = Flow { resp_h: [10, 0, 0, 255].into(), orig_p: 137, resp_p: 137, proto: Proto::Udp, resp: Default::default(), ..flow(1) };
    let said = [
        netbios("PC-1", 0, false),
        netbios("PC-1", 0x20, false),
        netbios("SALES", 0, true),
        netbios("SALES", 0x1e, true),
        netbios("ANN", 3, false),
    ];
    let events = said.into_iter().map(|said| event(&flow, Event::Dns(Box::new(said)))).collect();
    let case = sealed(&Options::default(), vec![flow], events);
    assert_eq!(claims(&case, "10.0.0.5", "name"), ["pc-1 by host"]);
    assert_eq!(claims(&case, "10.0.0.5", "domain"), ["sales by host"]);
    assert_eq!(case.cell("SELECT count(*) FROM host_claims WHERE ip = '10.0.0.255'"), "0", "an address of all is no host");
}

#[test]
fn whoever_says_many_names_of_itself_says_them_for_others() {
    let flow = Flow { resp_h: [10, 0, 0, 255].into(), orig_p: 137, resp_p: 137, proto: Proto::Udp, ..flow(1) };
    let named = |count: usize| {
        let events = (0..count).map(|n| event(&flow, Event::Dns(Box::new(netbios(&format!("HOST{n}"), 0, false))))).collect();
        let case = sealed(&Options::default(), vec![flow.clone()], events);
        (
            case.cell("SELECT max(confidence) FROM host_claims WHERE claim = 'name'"),
            case.cell("SELECT sum(left_out) FROM host_claims"),
            case.cell("SELECT count(*) FROM host_claims WHERE claim = 'name'"),
        )
    };
    assert_eq!(named(3), ("0.8".into(), "0".into(), "3".into()));
    assert_eq!(named(24), ("0.1".into(), "8".into(), "16".into()), "what is beyond the cap is counted");
}

#[test]
fn a_name_that_was_asked_of_a_proxy_is_not_the_proxys() {
    let connect = Http {
        method: Some("CONNECT".into()),
        host: Some("bank.example:443".into()),
        uri: Some("bank.example:443".into()),
        status_code: Some(200),
        ..Http::default()
    };
    let absolute = Http {
        method: Some("GET".into()),
        host: Some("news.example".into()),
        uri: Some("http://news.example/".into()),
        status_code: Some(200),
        ..Http::default()
    };
    let hello = Tls { server_name: Some("bank.example".into()), server_frame: Some(9), ..Tls::default() };
    let (tunnel, plain) = (Flow { resp_p: 3128, ..flow(1) }, Flow { resp_p: 3128, ..flow(20) });
    let events = vec![
        event(&tunnel, Event::Http(Box::new(connect))),
        event(&tunnel, Event::Tls(Box::new(hello.clone()))),
        event(&plain, Event::Http(Box::new(absolute))),
    ];
    let case = sealed(&Options::default(), vec![tunnel, plain], events);
    assert!(claims(&case, "192.0.2.7", "name").is_empty(), "{:?}", claims(&case, "192.0.2.7", "name"));
    let direct = sealed(&Options::default(), vec![flow(1)], vec![event(&flow(1), Event::Tls(Box::new(hello)))]);
    assert_eq!(claims(&direct, "192.0.2.7", "name"), ["bank.example by others"]);
}

#[test]
fn what_cannot_be_a_name_is_not_taken_for_one() {
    let header = |host: &str| {
        event(
            &flow(1),
            Event::Http(Box::new(Http { host: Some(host.into()), uri: Some("/".into()), status_code: Some(200), ..Http::default() })),
        )
    };
    let odd = ["${jndi:ldap://x/a}", "192.0.2.7", "localhost", "<script>", "a\u{202e}b", "", "web.example:8080"];
    let case = sealed(&Options::default(), vec![flow(1)], odd.into_iter().map(header).collect());
    assert_eq!(claims(&case, "192.0.2.7", "name"), ["web.example by others"]);
}

#[test]
fn a_hardware_address_made_up_on_the_spot_is_said_to_have_no_vendor() {
    let bought = Flow { orig: Side { mac: Mac([0x00, 0x00, 0x0c, 1, 2, 3]), ..side(5, 6) }, orig_h: [10, 0, 0, 9].into(), ..flow(20) };
    let case = sealed(&Options::default(), vec![flow(1), bought], vec![]);
    assert_eq!(claims(&case, "10.0.0.5", "vendor"), ["(locally administered) by inferred"]);
    assert_eq!(claims(&case, "10.0.0.9", "vendor"), ["Cisco Systems, Inc by inferred"]);
    assert!(case.cell("SELECT detail FROM host_claims WHERE value LIKE 'Cisco%'").starts_with("IEEE registry of 20"));
}

#[test]
fn every_claim_leads_to_a_frame_and_stands_on_a_ground_that_is_documented() {
    let agent = Http {
        user_agent: Some("Microsoft-CryptoAPI/6.1".into()),
        server: Some("nginx".into()),
        uri: Some("/".into()),
        status_code: Some(200),
        ..Http::default()
    };
    let case = sealed(&Options::default(), vec![flow(1), asked(40)], vec![event(&flow(1), Event::Http(Box::new(agent)))]);
    assert_eq!(case.cell("SELECT count(*) > 5 FROM host_claims"), "true");
    assert_eq!(
        case.cell("SELECT count(*) FROM host_claims WHERE frame IS NULL OR frame < 1 OR times < 1 OR NOT confidence BETWEEN 0 AND 1"),
        "0"
    );
    assert_eq!(
        case.cell("SELECT list(value ORDER BY value) FROM host_claims WHERE claim = 'os' AND ip = '10.0.0.5'"),
        "[Linux, Windows 7 / Server 2008 R2]"
    );
    let grounds = query(case.open.connection(), "SELECT DISTINCT ground FROM host_claims").expect("grounds");
    for ground in grounds.rows {
        assert!(!meaning(&ground[0].to_string()).is_empty(), "{ground:?}");
    }
}

#[test]
fn a_caller_over_rpc_names_its_machine_whichever_side_it_stands_on_and_a_callback_names_nobody() {
    let nfs = Flow { resp_p: 2_049, service: "nfs".into(), ..flow(1) };
    let by = |is_orig, name: &str| RpcCall { is_orig, machine_name: Some(name.into()), ..RpcCall::default() };
    let call = |flow: &Flow, is_orig, name| event(flow, Event::Nfs(Box::new(Nfs { call: by(is_orig, name), ..Nfs::default() })));
    let back = Rpc { call: by(false, "build-3"), program_number: Some(0x4000_0000), ..Rpc::default() };
    let told = vec![call(&nfs, true, "build-3"), event(&nfs, Event::Rpc(Box::new(back)))];
    let case = sealed(&Options::default(), vec![nfs.clone()], told);
    assert_eq!(claims(&case, "10.0.0.5", "name"), ["build-3 by host"]);
    assert!(claims(&case, "192.0.2.7", "name").is_empty());
    assert_eq!(claims(&case, "192.0.2.7", "role"), ["nfs_server by inferred"]);
    let turned = sealed(&Options::default(), vec![nfs.clone()], vec![call(&nfs, false, "build-3")]);
    assert_eq!(claims(&turned, "192.0.2.7", "name"), ["build-3 by host"]);
}
