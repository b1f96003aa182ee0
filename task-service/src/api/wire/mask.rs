//! The field mask of an update (AIP-134).

use prost_types::FieldMask;
use shared::fields::Fields;

/// The path of all fields.
const ALL: &str = "*";

/// A field mask, and the fields that were picked from it, which are all that it may name.
pub struct Mask {
    paths: Vec<String>,
    fields: Vec<&'static str>,
    is_any_set: bool,
}

impl Mask {
    /// The mask of a message. An empty one counts as none, as many clients cannot leave it out.
    pub fn of(mask: Option<FieldMask>) -> Self {
        let paths = mask.unwrap_or_default().paths;
        Self { paths, fields: Vec::new(), is_any_set: false }
    }

    /// The value to write into `field`, `Some(None)` for its default; `None` leaves the field
    /// unchanged.
    #[expect(clippy::option_option, reason = "to leave a field alone is no value of it")]
    pub fn pick<T>(&mut self, field: &'static str, value: Option<T>) -> Option<Option<T>> {
        self.writes(field, value.is_some()).then_some(value)
    }

    /// The list to write into `field`; `None` leaves the field unchanged.
    pub fn pick_list<T>(&mut self, field: &'static str, list: Vec<T>) -> Option<Vec<T>> {
        self.writes(field, !list.is_empty()).then_some(list)
    }

    fn writes(&mut self, field: &'static str, is_set: bool) -> bool {
        self.fields.push(field);
        self.is_any_set |= is_set;
        match self.paths.as_slice() {
            [] => is_set,
            paths => paths.iter().any(|path| path == field || path == ALL),
        }
    }

    /// Adds the faults of the mask, after all fields were picked: it may name only these, and
    /// without a mask one must be set.
    pub fn check(self, faults: &mut Fields) {
        let Self { paths, fields, is_any_set } = self;
        if paths.is_empty() && !is_any_set {
            faults.fault("update_mask", "must name a field, or one must be set");
        }
        if !paths.iter().all(|path| path == ALL || fields.contains(&path.as_str())) {
            let names = fields.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
            let names = names.join(", ");
            faults.fault("update_mask", format!("must name nothing but {names} or `*`"));
        }
    }
}
