//! TLS, by vigil itself.

use super::{copy, serve};
use crate::desk::{Desk, Said, demo, usable};
use std::process::Command;

#[test]
fn a_certificate_and_its_key_make_https() {
    if !usable("openssl", &["version"]) || !usable("curl", &["--version"]) {
        return;
    }
    let desk = Desk::new();
    copy(demo(), &desk.path("demo.vigil"));
    let made = Said::of({
        let mut command = Command::new("openssl");
        command.current_dir(desk.folder()).args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
        command.args([
            "-keyout",
            "key.pem",
            "-out",
            "chain.pem",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
        ]);
        command
    });
    assert_eq!(made.code, 0, "{made:?}");
    let wrong = desk.vigil(["serve", "demo.vigil", "--addr", "127.0.0.1:0", "--tls-cert", "key.pem", "--tls-key", "key.pem"]);
    assert_eq!(wrong.code, 2, "{wrong:?}");
    assert!(wrong.err.contains("key.pem"), "{}", wrong.err);
    let server = serve(desk, "demo.vigil", &["--tls-cert", "chain.pem", "--tls-key", "key.pem"]);
    let curl = |args: &[&str]| {
        let mut command = Command::new("curl");
        command.current_dir(server.desk.folder()).args(["--silent", "--show-error", "--noproxy", "*", "--cacert", "chain.pem"]).args(args);
        Said::of(command)
    };
    let base = format!("https://{}", server.addr);
    let case = curl(&[&format!("{base}/api/v1/case"), "-D", "head.txt"]);
    assert_eq!((case.code, &case.json()["case"]), (0, &"demo".into()), "{case:?}");
    assert!(server.desk.read("head.txt").to_lowercase().contains("strict-transport-security"));
    assert_ne!(curl(&[&format!("{base}/api/v1/case"), "--tls-max", "1.1"]).code, 0, "old versions are refused");
    assert_eq!(
        curl(&["-o", "page.html", "-w", "%{http_code}", &format!("{base}/"), "-H", &format!("Origin: https://{}", server.addr)]).out,
        "200"
    );
    assert_eq!(server.get("/").status, 0, "no plain HTTP beside it");
    // Others are still answered while somebody says nothing.
    let silent = server.connect();
    assert_eq!(curl(&[&format!("{base}/api/v1/health")]).code, 0);
    drop(silent);
}
