//! Profiles: the name and the picture of a user.

/// Checks a display name: at most 200 characters, no control characters, may be empty.
pub fn name(text: String) -> Result<String, String> {
    if text.chars().count() > 200 || text.contains(char::is_control) {
        return Err("must have at most 200 characters and no control characters".to_owned());
    }
    Ok(text)
}

/// The URL of a picture, or none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image(pub Option<String>);

/// Checks a picture's URL; empty means none.
pub fn image(text: String) -> Result<Image, String> {
    if text.len() > 2048 || text.contains(char::is_control) {
        return Err("must have at most 2048 bytes and no control characters".to_owned());
    }
    Ok(Image(Some(text).filter(|text| !text.is_empty())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_pictures_are_bounded_and_printable() {
        assert_eq!(name(String::new()), Ok(String::new()));
        assert!(name("Ада Лавлейс 😀".to_owned()).is_ok());
        assert!(name("é".repeat(200)).is_ok());
        assert!(name("é".repeat(201)).is_err());
        assert!(name("a\0b".to_owned()).is_err());
        assert!(name("a\u{1b}[31mb".to_owned()).is_err());
        assert_eq!(image(String::new()), Ok(Image(None)));
        assert!(image("https://example.com/a.png".to_owned()).is_ok());
        assert!(image("x".repeat(2049)).is_err());
    }
}
