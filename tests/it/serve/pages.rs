//! The dashboard's pages, without a browser.

use super::{serve, serve_demo};
use crate::desk::Desk;
use crate::hostile;

/// All pages of a case that has findings.
const PAGES: [&str; 16] = [
    "/",
    "/findings",
    "/findings?severity=critical&q=ssh",
    "/findings/F1",
    "/incidents",
    "/incidents/I1",
    "/hosts",
    "/hosts?q=10.&side=inside",
    "/hosts/10.20.0.80",
    "/flows",
    "/flows?service.has=dns&sort=-ts",
    "/sql",
    "/sql?query=SELECT%201",
    "/rules",
    "/logs",
    "/report",
];

#[test]
fn every_page_is_there_and_every_link_on_it_leads_somewhere() {
    let server = serve_demo(&[]);
    let mut links = std::collections::BTreeSet::new();
    for page in PAGES {
        let answer = server.get(page).well();
        assert!(answer.header("content-type").starts_with("text/html"), "{page}");
        assert!(!answer.body.contains(" style=\"") && !answer.body.contains(" onclick="), "{page}: the policy forbids it");
        for place in ["src=\"http", "href=\"http", "action=\"http", "url(http", "src=\"//", "href=\"//"] {
            assert!(!answer.body.contains(place), "{page} names another place");
        }
        links.extend(
            answer
                .body
                .split("href=\"/")
                .skip(1)
                .filter_map(|rest| rest.split('"').next())
                .map(|path| format!("/{}", path.replace("&amp;", "&"))),
        );
    }
    assert!(links.len() > 60, "{}", links.len());
    for link in links {
        let answer = server.get(&link);
        assert_eq!(answer.status, 200, "{link}");
    }
}

#[test]
fn filters_live_in_the_address_and_say_what_is_wrong() {
    let server = serve_demo(&[]);
    let page = server.get("/findings?severity=critical").well().body;
    assert!(page.contains("2 of 11 findings") && !page.contains("data-severity=\"low\""), "{page}");
    let wrong = server.get("/flows?ts.gte=yesterday").well().body;
    assert!(wrong.contains("role=\"alert\"") && wrong.contains("value=\"yesterday\""));
    let flows = server.get("/flows?either_end=10.20.0.80").well().body;
    assert!(flows.contains("rel=\"next\"") && flows.contains("cursor="));
    assert_eq!(server.get("/findings/F999").status, 404);
    assert_eq!(server.get("/hosts/192.0.2.254").status, 404);
    assert_eq!(server.get("/flows/999999999").status, 404);
}

#[test]
fn the_console_answers_and_shows_errors_as_text() {
    let server = serve_demo(&[]);
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let answer = server.ask("POST", "/sql", &form, "query=SELECT+%27%3Cscript%3E%27+AS+x%2C+count%28*%29+AS+n+FROM+flows").well().body;
    assert!(answer.contains("&lt;script&gt;") && !answer.contains("<script>'"), "{answer}");
    let wrong = server.ask("POST", "/sql", &form, "query=DROP+TABLE+flows").well().body;
    assert!(wrong.contains("role=\"alert\"") && wrong.contains("only statements that read"));
}

#[test]
fn triage_by_form_changes_the_inbox() {
    let server = serve_demo(&[]);
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    assert_eq!(server.ask("POST", "/findings/F3/triage", &form, "verb=archive&comment=known+%3Cb%3Etool%3C%2Fb%3E").status, 303);
    assert!(!server.get("/findings").well().body.contains("/findings/F3\""));
    assert!(server.get("/findings?state=archived").well().body.contains("/findings/F3\""));
    let page = server.get("/findings/F3").well().body;
    assert!(page.contains("known &lt;b&gt;tool&lt;/b&gt;"));
    assert_eq!(server.ask("POST", "/findings/F3/triage", &form, "verb=explode").status, 400);
}

#[test]
fn strings_from_packets_are_text_on_every_page_and_in_every_answer() {
    let desk = Desk::new();
    super::copy(&hostile::case_folder(), &desk.path("hostile.vigil"));
    let server = serve(desk, "hostile.vigil", &[]);
    let mut pages: Vec<String> =
        ["/", "/findings", "/hosts", "/flows", "/rules", "/logs", "/report", "/hosts/203.0.113.9", "/hosts/10.77.0.5"]
            .map(String::from)
            .into();
    let ids = server.get("/api/v1/findings?fields=id").well().json();
    pages.extend(ids["rows"].as_array().unwrap().iter().map(|row| format!("/findings/{}", row["id"].as_str().unwrap())));
    let flows = server.get("/flows").well().body;
    pages.extend(flows.split("href=\"/flows/").skip(1).filter_map(|rest| rest.split('"').next()).take(60).map(|id| format!("/flows/{id}")));
    assert!(pages.len() > 60);
    let mut shown = 0;
    for page in &pages {
        let body = server.get(page).well().body;
        for attack in [
            "<script>alert",
            "<img src=x",
            "<svg onload",
            "</style></title>",
            "javascript:alert(1)\"",
            "\u{202e}",
            "\u{1b}",
            "\u{200b}",
            "\u{9b}",
        ] {
            assert!(!body.contains(attack), "{page}: {attack:?}");
        }
        shown += usize::from(body.contains("&lt;script&gt;alert") || body.contains(r"\u{202e}"));
    }
    assert!(shown > 5, "the strings are shown, as text: {shown}");
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let rows = server.ask("POST", "/sql", &form, "query=SELECT+query%2C+answers+FROM+dns").well().body;
    assert!(rows.contains("&lt;script&gt;alert") && !rows.contains("<script>alert") && !rows.contains('\u{202e}'));
    let json = server.get("/api/v1/http?fields=uri,user_agent,host").well();
    assert_eq!((json.header("content-type"), json.header("x-content-type-options")), ("application/json", "nosniff"));
}
