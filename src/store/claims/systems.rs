//! What programs, banners and fingerprints tell of systems, models and software.

/// Characters of a text kept as a value.
const TEXT_MAX: usize = 120;

/// A claim read from a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// `os`, `model`, `software`, `name`.
    pub claim: &'static str,
    /// Value.
    pub value: String,
    /// How exact the reading is, 0 to 1: the ground's confidence is multiplied with it.
    pub sure: f64,
}

fn os(value: impl Into<String>, sure: f64) -> Option<Reading> {
    Some(Reading { claim: "os", value: value.into(), sure })
}

/// What a text tells, by the ground that it was found on.
pub fn read(ground: &str, text: &str) -> Vec<Reading> {
    let shown = || text.chars().take(TEXT_MAX).collect::<String>();
    let whole = |claim| Some(Reading { claim, value: shown(), sure: 1.0 });
    let found = match ground {
        "version" => vec![ntlm(text)],
        "dhcp fingerprint" => vec![requested(text)],
        "vendor class" => vendor_class(text),
        "user agent" => vec![agent(text), device(text), whole("software")],
        "client banner" | "banner" => vec![banner(text), whole("software")],
        "client build" => vec![whole("software")],
        "description" => vec![described(text), uname(text), whole("model")],
        // A neighbour names its model in a field of its own.
        _ => vec![described(text).or_else(|| banner(text))],
    };
    found.into_iter().flatten().collect()
}

/// What follows `key`, as far as it is a version, dots for underscores.
fn version_after(text: &str, key: &str) -> Option<String> {
    let rest = text.get(text.find(key)? + key.len()..)?.trim_start_matches([' ', '/', '-']);
    let version: String = rest.chars().take_while(|c| c.is_ascii_digit() || matches!(c, '.' | '_')).take(20).collect();
    let version = version.trim_end_matches(['.', '_']).replace('_', ".");
    (!version.is_empty()).then_some(version)
}

/// With its version, where it is told.
fn with(name: &str, version: Option<String>) -> String {
    version.map_or_else(|| name.to_owned(), |version| format!("{name} {version}"))
}

/// Windows by the version of its kernel: clients and servers share the numbers.
fn windows(version: &str) -> Option<String> {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
    let (major, minor, build) = (parts.next()??, parts.next()??, parts.next().flatten());
    let release = match (major, minor, build) {
        (4, _, _) => "NT 4.0",
        (5, 0, _) => "2000",
        (5, 1, _) => "XP",
        (5, 2, _) => "XP x64 / Server 2003",
        (6, 0, _) => "Vista / Server 2008",
        (6, 1, _) => "7 / Server 2008 R2",
        (6, 2, _) => "8 / Server 2012",
        (6, 3, _) => "8.1 / Server 2012 R2",
        (10, _, Some(10_240)) => "10 1507",
        (10, _, Some(10_586)) => "10 1511",
        (10, _, Some(14_393)) => "10 1607 / Server 2016",
        (10, _, Some(15_063)) => "10 1703",
        (10, _, Some(16_299)) => "10 1709",
        (10, _, Some(17_134)) => "10 1803",
        (10, _, Some(17_763)) => "10 1809 / Server 2019",
        (10, _, Some(18_362 | 18_363)) => "10 1903 to 1909",
        (10, _, Some(19_041..=19_045)) => "10 2004 to 22H2",
        (10, _, Some(20_348)) => "Server 2022",
        (10, _, Some(22_000)) => "11 21H2",
        (10, _, Some(22_621 | 22_631)) => "11 22H2 to 23H2",
        (10, _, Some(26_100)) => "11 24H2 / Server 2025",
        (10, _, Some(..22_000)) => "10",
        (10, _, Some(_)) => "11",
        (10, _, None) => "10 or later",
        _ => return None,
    };
    Some(format!("Windows {release}"))
}

/// NTLM's version field ([MS-NLMP] 2.2.2.10). Programs that imitate Windows leave the build at zero.
fn ntlm(text: &str) -> Option<Reading> {
    let build = text.split('.').nth(2)?.parse::<u32>().ok()?;
    if build < 1_000 {
        return None;
    }
    os(windows(text)?, 1.0)
}

/// Options that a client asks for by DHCP (option 55), in its order, of systems that have kept it for years.
fn requested(text: &str) -> Option<Reading> {
    const KNOWN: [(&str, &str); 16] = [
        ("1,3,6,15,31,33,43,44,46,47,119,121,249,252", "Windows 10 or later"),
        ("1,3,6,15,31,33,43,44,46,47,121,249,252", "Windows 10 or later"),
        ("1,15,3,6,44,46,47,31,33,121,249,43", "Windows Vista to 8.1"),
        ("1,15,3,6,44,46,47,31,33,121,249,43,252", "Windows Vista to 8.1"),
        ("1,15,3,6,44,46,47,31,33,249,43", "Windows XP / Server 2003"),
        ("1,15,3,6,44,46,47,31,33,249,43,252", "Windows XP / Server 2003"),
        ("1,15,3,6,44,46,47,31,33,43", "Windows 2000"),
        ("1,121,3,6,15,119,252", "Apple iOS"),
        ("1,121,3,6,15,108,114,119,252", "Apple iOS"),
        ("1,3,6,15,119,252", "Apple iOS"),
        ("1,121,3,6,15,119,252,95,44,46", "macOS"),
        ("1,121,3,6,15,108,114,119,252,95,44,46", "macOS"),
        ("1,3,6,15,119,95,252,44,46", "macOS"),
        ("1,3,6,15,26,28,51,58,59,43", "Android"),
        ("1,33,3,6,15,26,28,51,58,59", "Android"),
        ("1,28,2,3,15,6,119,12,44,47,26,121,42", "Linux"),
    ];
    KNOWN.iter().find(|(list, _)| *list == text).and_then(|(_, name)| os(*name, 1.0))
}

/// Vendor class of a DHCP client (option 60).
fn vendor_class(text: &str) -> Vec<Option<Reading>> {
    let model = |value: &str| Some(Reading { claim: "model", value: value.chars().take(TEXT_MAX).collect(), sure: 1.0 });
    match text {
        "MSFT 98" => vec![os("Windows 98", 1.0)],
        _ if text.starts_with("MSFT ") => vec![os("Windows", 1.0)],
        _ if text.starts_with("android-dhcp") => vec![os(with("Android", version_after(text, "android-dhcp")), 1.0)],
        // dhcpcd-6.10.1:Linux-4.9.57-v7+:armv7l:BCM2835
        _ if text.starts_with("dhcpcd-") => {
            let mut parts = text.split(':').skip(1);
            let system = parts.next().and_then(|kernel| os(kernel.replacen('-', " ", 1), 1.0));
            vec![system, parts.nth(1).and_then(model)]
        }
        _ if text.starts_with("udhcp") => vec![os("Linux", 0.9)],
        _ if text.starts_with("PXEClient") => Vec::new(),
        _ => vec![model(text)],
    }
}

/// System out of a user agent. Parts of Windows itself are not made up as easily as browsers are.
fn agent(text: &str) -> Option<Reading> {
    let has = |part: &str| text.contains(part);
    let starts = |part: &str| text.starts_with(part);
    if starts("Microsoft-CryptoAPI/") {
        let version = version_after(text, "Microsoft-CryptoAPI")?;
        // Up to XP it tells its own version, the system's build behind it.
        let kernel = if version.starts_with("5.131.2600") { "5.1" } else { version.as_str() };
        return os(windows(kernel).unwrap_or_else(|| "Windows".into()), 1.0);
    }
    if ["Microsoft-WNS/", "Microsoft-Delivery-Optimization/", "Windows-Update-Agent/"].iter().any(|name| starts(name)) {
        let kernel = version_after(text, "/").and_then(|version| version.starts_with("10.").then(|| windows("10.0")).flatten());
        return os(kernel.unwrap_or_else(|| "Windows".into()), 1.0);
    }
    if ["Microsoft BITS/", "Windows-Update-Agent", "Microsoft NCSI", "Microsoft WinRM Client"].iter().any(|name| starts(name)) {
        return os("Windows", 1.0);
    }
    if has("Windows Phone") {
        return os(with("Windows Phone", version_after(text, "Windows Phone").or_else(|| version_after(text, "Windows Phone OS"))), 0.8);
    }
    if has("Windows NT ") {
        return os(version_after(text, "Windows NT").and_then(|version| windows(&version)).unwrap_or_else(|| "Windows".into()), 0.8);
    }
    if has("Android") {
        return os(with("Android", version_after(text, "Android")), 0.8);
    }
    if ["iPhone", "iPad", "iPod"].iter().any(|name| has(name)) {
        let version = ["iPhone OS", "CPU OS", "iOS"].iter().find_map(|key| version_after(text, key));
        return os(with("Apple iOS", version), 0.8);
    }
    apple(text).or_else(|| elsewhere(text))
}

fn apple(text: &str) -> Option<Reading> {
    if text.contains("Mac OS X") || text.contains("Macintosh") {
        return match version_after(text, "Mac OS X").as_deref() {
            // Browsers have told this version ever since.
            Some("10.15.7" | "10.16") | None => os("macOS", 0.8),
            Some(version) => os(format!("macOS {version}"), 0.8),
        };
    }
    let major = version_after(text, "Darwin/")?.split('.').next()?.parse::<u32>().ok()?;
    let macos = match major {
        8..=19 => format!("macOS 10.{}", major - 4),
        20..=24 => format!("macOS {}", major - 9),
        25.. => format!("macOS {}", major + 1),
        _ => return None,
    };
    // Telephones do not tell their processor.
    os(if text.contains("x86_64") { macos } else { format!("Apple (Darwin {major})") }, 0.9)
}

fn elsewhere(text: &str) -> Option<Reading> {
    let has = |part: &str| text.contains(part);
    if has("CrOS ") {
        return os("ChromeOS", 0.8);
    }
    if let Some(name) = ["Ubuntu", "Fedora", "Debian", "CentOS", "Red Hat", "SUSE"].iter().find(|name| has(name)) {
        return os(*name, 0.8);
    }
    if let Some(name) = ["FreeBSD", "OpenBSD", "NetBSD", "SunOS", "Tizen"].iter().find(|name| has(name)) {
        return os(*name, 0.8);
    }
    if has("Linux") || has("linux-gnu") {
        return os("Linux", 0.8);
    }
    // Java and others write the name before the version.
    let named = ["Windows XP", "Windows Vista", "Windows 7", "Windows 8.1", "Windows 8", "Windows 10", "Windows 11"];
    if let Some(name) = named.iter().find(|name| has(name)) {
        return os(*name, 0.8);
    }
    (has("Windows") || has("Win32") || has("Win64")).then(|| os("Windows", 0.7)).flatten()
}

/// Device out of a user agent.
fn device(text: &str) -> Option<Reading> {
    let model = |value: &str| Some(Reading { claim: "model", value: value.into(), sure: 0.8 });
    if let Some(name) = ["iPhone", "iPad", "iPod"].iter().find(|name| text.contains(**name)) {
        return model(name);
    }
    // Mozilla/5.0 (Linux; Android 9; SM-G960F Build/PPR1 …
    let rest = text.get(text.find("Android ")?..)?;
    let told = rest.split([';', ')']).nth(1)?;
    let told = told.split(" Build").next()?.trim();
    let means = told.len() >= 3 && told.len() <= 40 && !told.contains("rv:") && !["Mobile", "Tablet"].contains(&told) && !is_language(told);
    means.then(|| model(told)).flatten()
}

/// `en-us`, which stood where the model is now.
fn is_language(text: &str) -> bool {
    matches!(text.as_bytes(), [a, b, b'-' | b'_', c, d] if [a, b, c, d].iter().all(|byte| byte.is_ascii_alphabetic()))
}

/// System out of a server's or an SSH client's banner.
fn banner(text: &str) -> Option<Reading> {
    let has = |part: &str| text.contains(part);
    if let Some(version) = version_after(text, "Microsoft-IIS/") {
        let kernel = match version.as_str() {
            "5.0" => "5.0",
            "5.1" => "5.1",
            "6.0" => "5.2",
            "7.0" => "6.0",
            "7.5" => "6.1",
            "8.0" => "6.2",
            "8.5" => "6.3",
            "10.0" => "10.0",
            _ => return os("Windows", 0.9),
        };
        return os(windows(kernel)?, 0.9);
    }
    if ["OpenSSH_for_Windows", "Microsoft-HTTPAPI", "Microsoft ESMTP", "Win32", "Win64", "PuTTY", "WinSCP"].iter().any(|part| has(part)) {
        return os("Windows", if has("PuTTY") { 0.6 } else { 0.9 });
    }
    packaged(text).or_else(|| {
        const NAMED: [(&str, &str, f64); 11] = [
            ("Raspbian", "Raspbian", 0.9),
            ("FreeBSD", "FreeBSD", 0.9),
            ("NetBSD", "NetBSD", 0.9),
            ("CentOS", "CentOS", 0.9),
            ("Red Hat", "Red Hat", 0.9),
            ("Fedora", "Fedora", 0.9),
            ("SUSE", "SUSE", 0.9),
            ("Cisco-", "Cisco IOS", 0.9),
            ("ROSSSH", "RouterOS", 0.9),
            ("dropbear", "Linux", 0.7),
            ("Linux", "Linux", 0.7),
        ];
        NAMED.iter().find(|(part, ..)| has(part)).and_then(|(_, name, sure)| os(*name, *sure))
    })
}

/// Ubuntu and Debian, by the release that ships this OpenSSH or, in MySQL's version, names itself.
fn packaged(text: &str) -> Option<Reading> {
    const UBUNTU: [(&str, &str); 10] = [
        ("OpenSSH_5.3", "10.04"),
        ("OpenSSH_5.8", "11.04 to 11.10"),
        ("OpenSSH_5.9", "12.04"),
        ("OpenSSH_6.6", "14.04"),
        ("OpenSSH_7.2", "16.04"),
        ("OpenSSH_7.6", "18.04"),
        ("OpenSSH_8.2", "20.04"),
        ("OpenSSH_8.9", "22.04"),
        ("OpenSSH_9.6", "24.04"),
        ("ubuntu0.16.04", "16.04"),
    ];
    const DEBIAN: [(&str, &str); 9] = [
        ("OpenSSH_5.1", "5"),
        ("OpenSSH_5.5", "6"),
        ("OpenSSH_6.0", "7"),
        ("OpenSSH_6.7", "8"),
        ("OpenSSH_7.4", "9"),
        ("OpenSSH_7.9", "10"),
        ("OpenSSH_8.4", "11"),
        ("OpenSSH_9.2", "12"),
        ("OpenSSH_10.0", "13"),
    ];
    let lower = text.to_ascii_lowercase();
    let (name, releases): (_, &[(&str, &str)]) = match () {
        () if lower.contains("ubuntu") => ("Ubuntu", &UBUNTU),
        () if lower.contains("debian") || lower.contains("+deb") => ("Debian", &DEBIAN),
        () => return None,
    };
    let told = version_after(&lower, "ubuntu0.").filter(|version| version.len() >= 5).map(|version| version.chars().take(5).collect());
    let release = releases.iter().find(|(part, _)| text.contains(part)).map(|(_, release)| (*release).to_owned());
    os(with(name, told.or(release)), 0.9)
}

/// System out of a description that agents give of themselves.
fn described(text: &str) -> Option<Reading> {
    // Hardware: … - Software: Windows Version 6.3 (Build 9600 Multiprocessor Free)
    if let Some(version) = version_after(text, "Windows Version") {
        let build = version_after(text, "(Build").unwrap_or_default();
        return os(windows(&format!("{version}.{build}")).unwrap_or_else(|| "Windows".into()), 1.0);
    }
    const NAMED: [(&str, &str, &str); 7] = [
        ("NX-OS", "Cisco NX-OS", "Version "),
        ("IOS-XE", "Cisco IOS XE", "Version "),
        ("Cisco IOS", "Cisco IOS", "Version "),
        ("Cisco Internetwork Operating System", "Cisco IOS", "Version "),
        ("JUNOS", "JUNOS", "JUNOS"),
        ("RouterOS", "RouterOS", "RouterOS"),
        ("Darwin Kernel Version", "Darwin", "Darwin Kernel Version"),
    ];
    if let Some((_, name, key)) = NAMED.iter().find(|(part, ..)| text.contains(part)) {
        return os(with(name, version_after(text, key)), 1.0);
    }
    let mut words = text.split_whitespace();
    let kernel = words.next().filter(|word| ["Linux", "FreeBSD", "OpenBSD", "NetBSD", "SunOS"].contains(word))?;
    let release: String = words.nth(1).unwrap_or_default().chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    os(with(kernel, Some(release.trim_matches('.').to_owned()).filter(|release| !release.is_empty())), 1.0)
}

/// `uname -a`, which agents of Unix systems describe themselves with: its second word is the host's name.
fn uname(text: &str) -> Option<Reading> {
    let mut words = text.split_whitespace();
    words.next().filter(|word| ["Linux", "FreeBSD", "OpenBSD", "NetBSD", "SunOS"].contains(word))?;
    let (name, release) = (words.next()?, words.next()?);
    release.starts_with(|c: char| c.is_ascii_digit()).then(|| Reading { claim: "name", value: name.into(), sure: 0.9 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn system(ground: &str, text: &str) -> Option<String> {
        read(ground, text).into_iter().find(|reading| reading.claim == "os").map(|reading| reading.value)
    }

    #[test]
    fn builds_of_windows_are_named_with_all_releases_that_share_them() {
        assert_eq!(system("version", "10.0.17763").as_deref(), Some("Windows 10 1809 / Server 2019"));
        assert_eq!(system("version", "6.1.7601").as_deref(), Some("Windows 7 / Server 2008 R2"));
        assert_eq!(system("version", "10.0.23456").as_deref(), Some("Windows 11"));
    }

    #[test]
    fn a_version_without_a_build_is_an_imitation_and_claims_nothing() {
        assert_eq!(system("version", "6.1.0"), None);
        assert_eq!(system("version", "nonsense"), None);
    }

    #[test]
    fn user_agents_tell_the_system_and_telephones_their_model() {
        let chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36";
        assert_eq!(system("user agent", chrome).as_deref(), Some("Windows 10 or later"));
        let telephone = "Dalvik/2.1.0 (Linux; U; Android 9; SM-G960F Build/PPR1.180610.011)";
        let told = read("user agent", telephone);
        assert_eq!(told.iter().map(|r| (r.claim, r.value.as_str())).take(1).collect::<Vec<_>>(), [("os", "Android 9")]);
        let tablet = "Mozilla/5.0 (Linux; Android 8.1.0; Pixel C Build/OPM8) AppleWebKit/537.36";
        assert!(read("user agent", tablet).contains(&Reading { claim: "model", value: "Pixel C".into(), sure: 0.8 }));
        let phone = "AppleCoreMedia/1.0.0.14C92 (iPhone; U; CPU OS 10_2 like Mac OS X; en_us)";
        assert_eq!(system("user agent", phone).as_deref(), Some("Apple iOS 10.2"));
        let mac = "trustd (unknown version) CFNetwork/902.6 Darwin/17.7.0 (x86_64)";
        assert_eq!(system("user agent", mac).as_deref(), Some("macOS 10.13"));
    }

    #[test]
    fn parts_of_windows_are_believed_more_than_browsers() {
        let sure = |text| read("user agent", text)[0].sure;
        assert!(sure("Microsoft-CryptoAPI/6.1") > sure("Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1)"));
        assert_eq!(system("user agent", "Microsoft-CryptoAPI/5.131.2600.5512").as_deref(), Some("Windows XP"));
    }

    #[test]
    fn what_names_no_system_claims_none() {
        for text in ["curl/7.47.0", "Mozilla/5.0", "", "${jndi:ldap://x}", "netflix-ios-app"] {
            assert_eq!(system("user agent", text), None, "{text}");
        }
        assert_eq!(system("banner", "nginx"), None);
        assert_eq!(system("client banner", "SSH-2.0-libssh2_1.11.0"), None);
    }

    #[test]
    fn banners_of_packages_tell_the_release_that_ships_them() {
        assert_eq!(system("banner", "SSH-2.0-OpenSSH_9.6p1 Ubuntu-3ubuntu13.11").as_deref(), Some("Ubuntu 24.04"));
        assert_eq!(system("banner", "SSH-2.0-OpenSSH_7.4p1 Debian-10+deb9u7").as_deref(), Some("Debian 9"));
        assert_eq!(system("banner", "SSH-2.0-OpenSSH_99.1 Debian-1").as_deref(), Some("Debian"));
        assert_eq!(system("banner", "5.7.33-0ubuntu0.18.04.1").as_deref(), Some("Ubuntu 18.04"));
        assert_eq!(system("banner", "Microsoft-IIS/8.5").as_deref(), Some("Windows 8.1 / Server 2012 R2"));
    }

    #[test]
    fn agents_that_describe_themselves_as_uname_does_tell_their_name_too() {
        let told = read("description", "Linux plc7 4.15.0-20-generic #21-Ubuntu SMP");
        assert!(told.contains(&Reading { claim: "name", value: "plc7".into(), sure: 0.9 }), "{told:?}");
        assert_eq!(told[0].value, "Linux 4.15.0");
        let windows = "Hardware: Intel64 Family 6 - Software: Windows Version 6.3 (Build 9600 Multiprocessor Free)";
        assert_eq!(system("description", windows).as_deref(), Some("Windows 8.1 / Server 2012 R2"));
    }

    #[test]
    fn dhcp_tells_systems_by_what_clients_ask_for_and_call_themselves() {
        assert_eq!(system("dhcp fingerprint", "1,15,3,6,44,46,47,31,33,249,43").as_deref(), Some("Windows XP / Server 2003"));
        assert_eq!(system("dhcp fingerprint", "1,3,6"), None);
        let told = read("vendor class", "dhcpcd-6.10.1:Linux-4.9.57-v7+:armv7l:BCM2835");
        assert_eq!(told.iter().map(|r| r.value.as_str()).collect::<Vec<_>>(), ["Linux 4.9.57-v7+", "BCM2835"]);
        assert_eq!(system("vendor class", "MSFT 5.0").as_deref(), Some("Windows"));
    }

    #[test]
    fn any_text_is_survived() {
        for text in [
            "Android",
            "Android ;",
            "iPhone OS \u{202e}",
            "Windows NT",
            "dhcpcd-",
            "Linux",
            "(Build",
            "Darwin/9999999999",
            "Microsoft-CryptoAPI/",
        ] {
            for ground in
                ["version", "vendor class", "user agent", "banner", "client banner", "description", "self-description", "client build"]
            {
                let _ = read(ground, text);
            }
        }
    }
}
