//! The dashboard in a browser, driven: every page says nothing on the console and asks no other host.

use super::access::{PASSWORD, with_users};
use super::chromium::{Page, there_is_one};
use super::live::live;
use super::{Server, copy, serve, serve_demo, until};
use crate::desk::{Desk, scenario};
use crate::hostile;

fn on(server: &Server, path: &str) -> String {
    format!("http://{}{path}", server.addr)
}

#[test]
fn an_analyst_logs_in_filters_reads_downloads_asks_and_drops_a_capture() {
    if !there_is_one() {
        return;
    }
    let (desk, _) = with_users();
    let server = serve(desk, "demo.vigil", &["--login", "--users", "users.toml"]);
    let downloads = tempfile::tempdir().unwrap();
    let mut page = Page::new(downloads.path());
    page.go(&on(&server, "/"));
    page.until("location.pathname === '/login'");
    page.eval(&format!(
        "document.querySelector('[name=username]').value = 'ann', document.querySelector('[name=password]').value = '{PASSWORD}'"
    ));
    page.eval("document.querySelector('.login form').requestSubmit()");
    page.until("location.pathname === '/' && document.querySelector('#verdict h1')");
    // The inbox, by keyboard. The dialog of keys is made by the script: it runs then.
    page.until("document.querySelector('dialog')");
    page.press("g");
    page.press("f");
    page.until("location.pathname === '/findings' && document.querySelectorAll('[data-item]').length > 5");
    let all = page.eval("document.querySelectorAll('[data-item]').length").as_u64();
    page.eval("document.querySelector('[name=severity]').value = 'critical', document.querySelector('form.filters').requestSubmit()");
    page.until("location.search.includes('severity=critical') && document.readyState === 'complete'");
    let critical = page.eval("document.querySelectorAll('[data-item]').length").as_u64();
    assert!(critical > Some(0) && critical < all, "{critical:?} of {all:?}");
    page.until("document.querySelector('dialog')");
    page.press("j");
    page.press("e");
    page.until("document.querySelector('[data-item] .chip')?.textContent === 'escalated'");
    page.press("Enter");
    page.until(
        "location.pathname.startsWith('/findings/F') && document.querySelector('.finding-head h1') && document.querySelector('dialog')",
    );
    // Its packets.
    page.eval("document.querySelector('a[download]').click()");
    let packets = until("the packets arrive", || {
        let files = std::fs::read_dir(downloads.path()).ok()?.flatten().map(|entry| entry.path());
        files.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "pcapng"))
    });
    assert_eq!(std::fs::read(packets).unwrap()[..4], [0x0a, 0x0d, 0x0d, 0x0a]);
    // Triage by one key.
    page.press("a");
    page.until("[...document.querySelectorAll('.chip')].some((chip) => chip.textContent === 'acknowledged')");
    // SQL.
    page.go(&on(&server, "/sql"));
    page.eval("document.getElementById('query').value = \"SELECT 40 + 2 AS answer, '<b>x</b>' AS text\"");
    page.eval("document.querySelector('form.sql').requestSubmit()");
    page.until("document.querySelector('#answer td')?.textContent === '42' && !document.querySelector('#answer b')");
    // A capture, dropped where one is.
    page.until("document.querySelector('dialog')");
    page.drop_file("dropped.pcap", &scenario("port-scan-vertical"));
    page.until("[...document.querySelectorAll('.job a')].some((link) => link.textContent === 'Open the case')");
    page.eval("document.querySelector('.job a').click()");
    page.until("location.pathname === '/cases/dropped/' && document.querySelector('#verdict h1')");
    page.eval("document.querySelector('.masthead nav a[href$=\"/findings\"]').click()");
    page.until("location.pathname === '/cases/dropped/findings' && document.querySelector('[data-item]')");
    assert_eq!(page.complaints(), Vec::<String>::new());
}

#[test]
fn every_page_loads_without_a_word_on_the_console() {
    if !there_is_one() {
        return;
    }
    let server = serve_demo(&[]);
    let downloads = tempfile::tempdir().unwrap();
    let mut page = Page::new(downloads.path());
    for path in [
        "/",
        "/findings/F1",
        "/incidents",
        "/incidents/I1",
        "/findings?rule=dns-tunnel&state=any",
        "/hosts",
        "/hosts/10.20.0.80",
        "/flows",
        "/sql",
        "/rules",
        "/logs",
        "/cases",
        "/report",
    ] {
        page.go(&on(&server, path));
        // A page that is wider than a phone scrolls sideways: only tables and pictures may, in boxes of their own.
        page.ask(
            "Emulation.setDeviceMetricsOverride",
            serde_json::json!({ "width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": true }),
        );
        let wide = page.eval("document.documentElement.scrollWidth");
        assert!(wide.as_u64() <= Some(391), "{path} is {wide} wide on a phone");
        page.ask("Emulation.clearDeviceMetricsOverride", serde_json::json!({}));
        // What a screen reader needs: a language, a title, headings, names of fields and buttons.
        let nameless = page.eval(
            "[...document.querySelectorAll('input:not([type=hidden]), select, textarea, button')]
                .filter((one) => !(one.labels?.length || one.ariaLabel || one.getAttribute('aria-label') || one.textContent.trim()))
                .map((one) => one.outerHTML).join(' ')",
        );
        assert_eq!(nameless, "", "{path}");
        assert_eq!(
            page.eval("document.documentElement.lang === 'en' && document.title.length > 3 && !!document.querySelector('h1, h2')"),
            true
        );
        assert_eq!(page.complaints(), Vec::<String>::new(), "{path}");
    }
}

#[test]
fn a_running_capture_moves_on_the_page_until_it_is_paused() {
    if !there_is_one() {
        return;
    }
    let server = live("40x");
    let downloads = tempfile::tempdir().unwrap();
    let mut page = Page::new(downloads.path());
    page.go(&on(&server, "/"));
    page.until("document.querySelector('.pulse-says')?.textContent.includes('packets/s')");
    page.eval(
        "(() => { const every = document.querySelector('.pulse select'); every.value = '1'; every.dispatchEvent(new Event('change')); })()",
    );
    let flows = "document.querySelector('a.tile[href=\"/flows\"] .tile-value').textContent";
    let before = page.eval(flows);
    page.until(&format!("{flows} !== {before}"));
    page.until("document.querySelector('.toast a')");
    page.eval("document.querySelector('.pulse button').click()");
    let paused = page.eval(flows);
    std::thread::sleep(std::time::Duration::from_secs(4));
    assert_eq!(page.eval(flows), paused, "a page that is paused stays as it is");
    page.eval("document.querySelector('.pulse button').click()");
    page.until(&format!("{flows} !== {paused}"));
    assert_eq!(page.complaints(), Vec::<String>::new());
}

#[test]
fn hostile_strings_are_shown_as_text_and_run_nothing_in_a_browser() {
    if !there_is_one() {
        return;
    }
    let desk = Desk::new();
    copy(&hostile::case_folder(), &desk.path("hostile.vigil"));
    let server = serve(desk, "hostile.vigil", &[]);
    let downloads = tempfile::tempdir().unwrap();
    let mut page = Page::new(downloads.path());
    let mut pages: Vec<String> =
        ["/", "/findings", "/incidents", "/hosts", "/logs", "/report", "/hosts/203.0.113.9"].map(String::from).into();
    let ids = server.get("/api/v1/findings?fields=id").well().json();
    pages.extend(ids["rows"].as_array().unwrap().iter().take(12).map(|row| format!("/findings/{}", row["id"].as_str().unwrap())));
    for service in ["http", "dns", "ftp", "ssl"] {
        let flows = server.get(&format!("/flows?service.has={service}")).well().body;
        pages.extend(
            flows.split("href=\"/flows/").skip(1).filter_map(|rest| rest.split('"').next()).take(3).map(|id| format!("/flows/{id}")),
        );
    }
    pages.push(format!("/sql?query={}", "SELECT%20*%20FROM%20http"));
    let mut shown = 0;
    for path in pages {
        page.go(&on(&server, &path));
        if path.starts_with("/sql") {
            page.eval("document.querySelector('form.sql').requestSubmit()");
            page.until("document.querySelectorAll('#answer td').length > 10");
        }
        // A dialog would have stopped the page: the answers to these questions would not come.
        let foreign = "document.querySelectorAll('img, iframe, object, embed, a[href^=\"javascript:\"], [onload], [onerror], body script:not([src])').length";
        let report = u64::from(path == "/report");
        assert_eq!(page.eval(foreign).as_u64(), Some(report), "{path}: only the report has a script of its own");
        let deceiving = "/[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u200b-\\u200f\\u202a-\\u202e\\u2066-\\u2069\\ufeff]/.test(document.documentElement.textContent.replace(document.querySelector('textarea')?.value ?? '', ''))";
        assert_eq!(page.eval(deceiving), false, "{path}: characters that deceive the eye are written out");
        let told = "['<script>alert', '\\\\u{202e}', 'onerror=alert'].some((attack) => document.body.innerText.includes(attack))";
        shown += u64::from(page.eval(told) == true);
        assert_eq!(page.complaints(), Vec::<String>::new(), "{path}");
    }
    assert!(shown > 8, "the strings are there to be read, on {shown} pages");
}
