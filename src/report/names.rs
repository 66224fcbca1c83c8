//! Names of output files.

/// `name` as the name of a file or folder: letters, digits, `-`, `_` and `.` stay, the rest becomes `-`.
pub fn file_name(name: &str) -> String {
    let kept = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String = name.chars().map(kept).collect();
    match name.trim_matches('.') {
        "" => "unnamed".to_owned(),
        name => name.to_owned(),
    }
}

/// The folder of the files of an alternative, empty or with a slash at its end: those of the first lie in the output
/// folder itself, those of each other in a folder of its own. The number keeps apart names with the same file name.
pub fn place(number: usize, variant: Option<&str>) -> String {
    match variant {
        Some(name) if number > 0 => format!("variants/{number}-{}/", file_name(name)),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_within_their_folder() {
        assert_eq!(file_name("GPU pool / spot"), "GPU-pool---spot");
        assert_eq!(file_name("../up"), "-up");
        assert_eq!(file_name(".."), "unnamed");
    }

    #[test]
    fn only_the_first_alternative_has_no_folder_of_its_own() {
        assert_eq!(place(0, None), "");
        assert_eq!(place(0, Some("spot")), "");
        assert_eq!(place(2, Some("a/b")), "variants/2-a-b/");
    }
}
