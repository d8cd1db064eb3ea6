//! Whether people count twelve hours or twenty-four.

use serde::{Deserialize, Serialize};

/// How prose writes an hour: `3:23 PM` or `15:23`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HourStyle {
    Twelve,
    #[default]
    TwentyFour,
}

/// Regions whose people write twelve hours: preferred format `h` in the `timeData` of CLDR (Unicode Common
/// Locale Data Repository).
const TWELVE: &[&str] = &[
    "AE", "AG", "AL", "AS", "AU", "BB", "BD", "BH", "BM", "BN", "BS", "CA", "CO", "CY", "DJ", "DM", "DO",
    "DZ", "EG", "EH", "ER", "ET", "FJ", "FM", "GD", "GH", "GM", "GR", "GU", "GY", "HK", "IN", "IQ", "JM",
    "JO", "KH", "KI", "KN", "KP", "KR", "KW", "KY", "LB", "LC", "LR", "LS", "LY", "MH", "MO", "MP", "MR",
    "MW", "MY", "NA", "NZ", "OM", "PA", "PG", "PH", "PK", "PR", "PS", "PW", "QA", "SA", "SB", "SD", "SG",
    "SL", "SO", "SS", "SY", "SZ", "TC", "TD", "TN", "TO", "TT", "TW", "UM", "US", "VC", "VE", "VG", "VI",
    "VU", "WS", "YE", "ZM",
];

impl HourStyle {
    /// The habit of the locale that the environment names: `LC_ALL` before `LC_TIME` before `LANG`, the first
    /// that is not empty. `C`, `POSIX`, and a locale without a region mean twenty-four.
    pub fn from_locale(lc_all: Option<&str>, lc_time: Option<&str>, lang: Option<&str>) -> Self {
        let locale = [lc_all, lc_time, lang]
            .into_iter()
            .flatten()
            .find(|value| !value.is_empty())
            .unwrap_or("");
        // `en_US.UTF-8@modifier`, or `en-US`.
        let name = locale.split(['.', '@']).next().unwrap_or("");
        let mut parts = name.split(['_', '-']);
        let language = parts.next().unwrap_or("").to_ascii_lowercase();
        let region = parts.next_back().unwrap_or("").to_ascii_uppercase();
        // French is written with twenty-four hours in Canada too.
        let exception = language == "fr" && region == "CA";
        if TWELVE.contains(&region.as_str()) && !exception {
            Self::Twelve
        } else {
            Self::TwentyFour
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locale_decides_the_hours() {
        let twelve = [
            "en_US.UTF-8",
            "en_CA",
            "en_AU.utf8",
            "en_NZ",
            "en-IN",
            "hi_IN.UTF-8",
            "ar_EG",
            "ko_KR.UTF-8",
            "en_PH",
        ];
        let twenty_four = [
            "C",
            "POSIX",
            "C.UTF-8",
            "",
            "en_GB.UTF-8",
            "de_DE@euro",
            "he_IL",
            "fr_CA.UTF-8",
            "ja_JP",
            "en",
            "__",
            "zh_Hans_CN",
        ];
        for locale in twelve {
            assert_eq!(
                HourStyle::from_locale(None, None, Some(locale)),
                HourStyle::Twelve,
                "{locale}"
            );
        }
        for locale in twenty_four {
            assert_eq!(
                HourStyle::from_locale(None, None, Some(locale)),
                HourStyle::TwentyFour,
                "{locale}"
            );
        }
    }

    #[test]
    fn the_more_special_variable_wins_unless_it_is_empty() {
        let (us, de) = (Some("en_US.UTF-8"), Some("de_DE.UTF-8"));
        assert_eq!(HourStyle::from_locale(de, us, us), HourStyle::TwentyFour);
        assert_eq!(HourStyle::from_locale(None, us, de), HourStyle::Twelve);
        assert_eq!(HourStyle::from_locale(Some(""), Some(""), us), HourStyle::Twelve);
        assert_eq!(HourStyle::from_locale(None, None, None), HourStyle::TwentyFour);
    }
}
