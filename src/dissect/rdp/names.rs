//! Names of numbers, as Zeek's `rdp.log` writes them.

/// Versions of clients by build number.
pub fn build(number: u32) -> String {
    match number {
        419 => "RDP 4.0",
        2195 | 2221 => "RDP 5.0",
        2600 => "RDP 5.1",
        3790 => "RDP 5.2",
        6000 => "RDP 6.0",
        6001 => "RDP 6.1",
        6002 => "RDP 6.2",
        7600 => "RDP 7.0",
        7601 => "RDP 7.1",
        9200 => "RDP 8.0",
        9600 => "RDP 8.1",
        25189 | 25282 => "RDP 8.0 (Mac)",
        other => return format!("client_build-{other}"),
    }
    .to_owned()
}

/// Security protocols (MS-RDPBCGR 2.2.1.2.1).
pub fn security(number: u32) -> String {
    match number {
        0 => "RDP",
        1 => "SSL",
        2 => "HYBRID",
        4 => "RDSTLS",
        8 => "HYBRID_EX",
        16 => "RDSAAD",
        other => return format!("security_protocol-{other}"),
    }
    .to_owned()
}

/// Why a negotiation failed (MS-RDPBCGR 2.2.1.2.2).
pub fn failure(code: u32) -> String {
    match code {
        1 => "SSL_REQUIRED_BY_SERVER",
        2 => "SSL_NOT_ALLOWED_BY_SERVER",
        3 => "SSL_CERT_NOT_ON_SERVER",
        4 => "INCONSISTENT_FLAGS",
        5 => "HYBRID_REQUIRED_BY_SERVER",
        6 => "SSL_WITH_USER_AUTH_REQUIRED_BY_SERVER",
        other => return format!("failure_code-{other}"),
    }
    .to_owned()
}

/// Answers to a conference request (T.124).
pub fn result(number: u8) -> String {
    match number {
        0 => "Success",
        1 => "User rejected",
        2 => "Resources not available",
        3 => "Rejected for symmetry breaking",
        4 => "Locked conference",
        other => return format!("result-{other}"),
    }
    .to_owned()
}

/// Methods of native encryption (MS-RDPBCGR 2.2.1.4.3).
pub fn method(number: u32) -> String {
    match number {
        0 => "None",
        1 => "40bit",
        2 => "128bit",
        8 => "56bit",
        16 => "FIPS",
        other => return format!("encryption_method-{other}"),
    }
    .to_owned()
}

/// Levels of native encryption.
pub fn level(number: u32) -> String {
    match number {
        0 => "None",
        1 => "Low",
        2 => "Client compatible",
        3 => "High",
        4 => "FIPS",
        other => return format!("encryption_level-{other}"),
    }
    .to_owned()
}

/// `highColorDepth`.
pub fn depth(number: u16) -> String {
    match number {
        4 | 8 | 15 | 16 | 24 => format!("{number}bit"),
        other => format!("high_color_depth-{other}"),
    }
}

/// A keyboard layout by its language; variants of a layout are guessed by it.
pub fn keyboard(layout: u32) -> String {
    let name =
        |id: u32| KEYBOARDS.binary_search_by_key(&id, |(known, _)| *known).ok().and_then(|at| KEYBOARDS.get(at)).map(|(_, name)| *name);
    match (name(layout), name(layout & 0xffff)) {
        (Some(name), _) => name.to_owned(),
        (None, Some(name)) => format!("{name} (Best Guess for {layout})"),
        (None, None) => format!("keyboard-{layout}"),
    }
}

/// Windows language identifiers (MS-LCID), and the variants of the United States' keyboard.
const KEYBOARDS: [(u32, &str); 117] = [
    (1025, "Arabic - Saudi Arabia"),
    (1026, "Bulgarian"),
    (1027, "Catalan"),
    (1028, "Chinese - Taiwan"),
    (1029, "Czech"),
    (1030, "Danish"),
    (1031, "German - Germany"),
    (1032, "Greek"),
    (1033, "English - United States"),
    (1034, "Spanish - Spain (Traditional Sort)"),
    (1035, "Finnish"),
    (1036, "French - France"),
    (1037, "Hebrew"),
    (1038, "Hungarian"),
    (1039, "Icelandic"),
    (1040, "Italian - Italy"),
    (1041, "Japanese"),
    (1042, "Korean"),
    (1043, "Dutch - Netherlands"),
    (1044, "Norwegian (Bokmal)"),
    (1045, "Polish"),
    (1046, "Portuguese - Brazil"),
    (1047, "Rhaeto-Romanic"),
    (1048, "Romanian"),
    (1049, "Russian"),
    (1050, "Croatian"),
    (1051, "Slovak"),
    (1052, "Albanian - Albania"),
    (1053, "Swedish"),
    (1054, "Thai"),
    (1055, "Turkish"),
    (1056, "Urdu"),
    (1057, "Indonesian"),
    (1058, "Ukrainian"),
    (1059, "Belarusian"),
    (1060, "Slovenian"),
    (1061, "Estonian"),
    (1062, "Latvian"),
    (1063, "Lithuanian"),
    (1064, "Tajik"),
    (1065, "Farsi"),
    (1066, "Vietnamese"),
    (1067, "Armenian - Armenia"),
    (1068, "Azeri (Latin)"),
    (1069, "Basque"),
    (1071, "FYRO Macedonian"),
    (1078, "Afrikaans - South Africa"),
    (1079, "Georgian"),
    (1080, "Faroese"),
    (1081, "Hindi"),
    (1082, "Maltese"),
    (1086, "Malay - Malaysia"),
    (1087, "Kazakh"),
    (1088, "Kyrgyz (Cyrillic)"),
    (1089, "Swahili"),
    (1090, "Turkmen"),
    (1091, "Uzbek (Latin)"),
    (1092, "Tatar"),
    (1094, "Punjabi"),
    (1095, "Gujarati"),
    (1096, "Oriya"),
    (1097, "Tamil"),
    (1098, "Telugu"),
    (1099, "Kannada"),
    (1100, "Malayalam"),
    (1101, "Assamese"),
    (1102, "Marathi"),
    (1104, "Mongolian (Cyrillic)"),
    (1106, "Welsh"),
    (1107, "Khmer"),
    (1108, "Lao"),
    (1110, "Galician"),
    (2049, "Arabic - Iraq"),
    (2052, "Chinese - People's Republic of China"),
    (2055, "German - Switzerland"),
    (2057, "English - United Kingdom"),
    (2058, "Spanish - Mexico"),
    (2060, "French - Belgium"),
    (2064, "Italian - Switzerland"),
    (2067, "Dutch - Belgium"),
    (2068, "Norwegian (Nynorsk)"),
    (2070, "Portuguese - Portugal"),
    (2074, "Serbian (Latin)"),
    (2077, "Swedish - Finland"),
    (2108, "Irish"),
    (3073, "Arabic - Egypt"),
    (3076, "Chinese - Hong Kong SAR"),
    (3079, "German - Austria"),
    (3081, "English - Australia"),
    (3082, "Spanish - Spain (Modern Sort)"),
    (3084, "French - Canada"),
    (3098, "Serbian (Cyrillic)"),
    (4097, "Arabic - Libya"),
    (4100, "Chinese - Singapore"),
    (4103, "German - Luxembourg"),
    (4105, "English - Canada"),
    (4106, "Spanish - Guatemala"),
    (4108, "French - Switzerland"),
    (5121, "Arabic - Algeria"),
    (5124, "Chinese - Macao SAR"),
    (5127, "German - Liechtenstein"),
    (5129, "English - New Zealand"),
    (5132, "French - Luxembourg"),
    (6145, "Arabic - Morocco"),
    (6153, "English - Ireland"),
    (6156, "French - Monaco"),
    (7169, "Arabic - Tunisia"),
    (7177, "English - South Africa"),
    (8202, "Spanish - Venezuela"),
    (9226, "Spanish - Colombia"),
    (10250, "Spanish - Peru"),
    (11274, "Spanish - Argentina"),
    (13322, "Spanish - Chile"),
    (14337, "Arabic - U.A.E."),
    (16393, "English - India"),
    (66569, "English - United States (Dvorak)"),
    (132105, "English - United States (International)"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keyboards_are_sorted_and_variants_guessed() {
        assert!(KEYBOARDS.is_sorted_by_key(|(id, _)| *id));
        assert_eq!(keyboard(1033), "English - United States");
        assert_eq!(keyboard(0x0004_041e), "Thai (Best Guess for 263198)");
        assert_eq!(keyboard(9), "keyboard-9");
    }
}
