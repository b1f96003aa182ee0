//! The position of a task in its user's order (fractional indexing).
//!
//! Positions are texts in the order of the tasks. Between any two there is another one, so a move
//! writes one task.

use std::fmt;

/// A position: digits and small letters that compare as bytes. The last character is never `0`, so
/// there is always a position before.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(String);

/// The error of an invalid position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a position as it came")]
pub struct InvalidPosition;

/// The longest new position; beyond, the tasks around are spread.
pub const MAX_LENGTH: usize = 64;

const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// The middle digit.
const MIDDLE: char = 'i';

/// The number of hexadecimal digits of a change number.
const WIDTH: usize = 12;

impl Position {
    /// The end of the order at the change with this number: behind all earlier and before all later
    /// changes. `index` numbers the tasks of the change.
    pub fn at_end(revision: i64, index: usize) -> Self {
        Self(match index {
            0 => format!("{revision:0WIDTH$x}{MIDDLE}"),
            index => format!("{revision:0WIDTH$x}{MIDDLE}{index:06x}{MIDDLE}"),
        })
    }

    /// [`Position::at_end`] of the first task as an expression of PostgreSQL over the column
    /// `revision`.
    pub fn at_end_in_sql(revision: &str) -> String {
        format!("lpad(to_hex({revision}), {WIDTH}, '0') || '{MIDDLE}'")
    }

    /// Parses a position of this service.
    pub fn parse(text: String) -> Result<Self, InvalidPosition> {
        let fits = (1..=2 * MAX_LENGTH).contains(&text.len()) && !text.ends_with('0');
        if fits && text.bytes().all(|byte| DIGITS.contains(&byte)) {
            Ok(Self(text))
        } else {
            Err(InvalidPosition)
        }
    }

    /// The position of a stored task.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// A position between `before`, or the beginning, and `after`, which must be later.
    pub fn between(before: Option<&Self>, after: &Self) -> Self {
        let before = before.map_or(&b""[..], |position| position.0.as_bytes());
        let middle = middle(before, Some(after.0.as_bytes()));
        Self(middle.into_iter().map(char::from).collect())
    }

    /// `count` positions in order between `before` and `after`, as short as possible.
    pub fn spread(before: Option<&Self>, after: &Self, count: usize) -> Vec<Self> {
        let mut all = Vec::with_capacity(count);
        fill(before, after, count, &mut all);
        all
    }

    /// The position as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The position as text.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Bisects recursively, so lengths grow with the logarithm.
fn fill(before: Option<&Position>, after: &Position, count: usize, all: &mut Vec<Position>) {
    if count == 0 {
        return;
    }
    let middle = Position::between(before, after);
    let left = (count - 1) / 2;
    fill(before, &middle, left, all);
    all.push(middle.clone());
    fill(Some(&middle), after, count - 1 - left, all);
}

/// Digits between two texts of digits, neither of which ends with `0`; without `after`, before the
/// end.
fn middle(before: &[u8], after: Option<&[u8]>) -> Vec<u8> {
    let value = |digit: u8| DIGITS.iter().position(|d| *d == digit).unwrap_or(0);
    if let Some(after) = after {
        let same = |(i, digit): (usize, &u8)| before.get(i).copied().unwrap_or(b'0') == *digit;
        let common = after.iter().enumerate().take_while(|pair| same(*pair)).count();
        if common > 0 && common < after.len() {
            let rest = before.get(common..).unwrap_or_default();
            return [&after[..common], &middle(rest, Some(&after[common..]))].concat();
        }
    }
    let low = before.first().map_or(0, |digit| value(*digit));
    let high = after.and_then(<[u8]>::first).map_or(DIGITS.len(), |digit| value(*digit));
    if high > low + 1 {
        return vec![DIGITS[low.midpoint(high)]];
    }
    match after {
        Some(after) if after.len() > 1 && high > low => after[..1].to_vec(),
        _ => {
            let rest = middle(before.get(1..).unwrap_or_default(), None);
            [&[DIGITS[low]][..], &rest].concat()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_moves_on_with_every_change() {
        let ends: Vec<_> = [(1, 0), (1, 1), (1, 2), (1, 499), (2, 0), (10, 0), (1 << 40, 0)]
            .map(|(revision, index)| Position::at_end(revision, index))
            .into();
        assert!(ends.is_sorted(), "{ends:?}");
        assert!(ends.iter().all(|end| Position::parse(end.to_string()).as_ref() == Ok(end)));
    }

    #[test]
    fn there_is_always_a_position_between_two() {
        let first = Position::at_end(1, 0);
        let mut all = vec![first, Position::at_end(2, 0)];
        let mut state = 7_u64;
        for _ in 0..2000 {
            // A fixed sequence without a pattern (the generator of Knuth's MMIX).
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let place = usize::try_from(state >> 33).expect("fits") % all.len();
            let before = place.checked_sub(1).map(|left| &all[left]);
            let new = Position::between(before, &all[place]);
            assert!(before.is_none_or(|before| *before < new) && new < all[place], "{new}");
            assert!(!new.as_str().ends_with('0'), "{new}");
            all.insert(place, new);
        }
        assert!(all.is_sorted());
    }

    #[test]
    fn positions_between_two_last_long_and_then_the_tasks_around_spread() {
        let (before, mut after) = (Position::at_end(1, 0), Position::at_end(2, 0));
        let mut moves = 0;
        while after.as_str().len() <= MAX_LENGTH {
            after = Position::between(Some(&before), &after);
            moves += 1;
        }
        assert!(moves > 200, "{moves}");
        let spread = Position::spread(Some(&before), &Position::at_end(2, 0), 500);
        assert_eq!(spread.len(), 500);
        assert!(spread.is_sorted() && before < spread[0] && spread[499] < Position::at_end(2, 0));
        assert!(spread.iter().all(|position| position.as_str().len() < 20), "{spread:?}");
    }

    #[test]
    fn other_texts_are_no_positions() {
        for text in ["", "0", "a0", "A", "a b", "ä", &"1".repeat(2 * MAX_LENGTH + 1)] {
            assert_eq!(Position::parse(text.to_owned()), Err(InvalidPosition), "{text:?}");
        }
    }
}
