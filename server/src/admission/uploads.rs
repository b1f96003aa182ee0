//! Uploads: the calls whose bodies may take longer than other calls, and be larger.

/// The paths of uploads, by pattern.
#[derive(Clone, Debug, Default)]
pub struct Uploads(matchit::Router<()>);

impl Uploads {
    /// Adds a path; a segment in braces (`{user_id}`) matches any.
    pub fn add(&mut self, pattern: &'static str) {
        let added = self.0.insert(pattern, ());
        debug_assert!(added.is_ok(), "{pattern}: {added:?}");
    }

    /// Whether a call to `path` is an upload.
    pub fn matches(&self, path: &str) -> bool {
        self.0.at(path).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_matches_segment_by_segment() {
        let mut uploads = Uploads::default();
        assert!(!uploads.matches("/"));
        uploads.add("/api/{user_id}/tasks/import");
        uploads.add("/task.v1.TaskBulkService/ImportTasks");
        for (path, is_upload) in [
            ("/api/alice/tasks/import", true),
            ("/task.v1.TaskBulkService/ImportTasks", true),
            // As axum routes: the handler refuses a user without a name.
            ("/api//tasks/import", true),
            ("/api/alice/tasks", false),
            ("/api/alice/tasks/import/", false),
            ("/api/a/b/tasks/import", false),
            ("/api/alice/tasks/Import", false),
            ("/task.v1.TaskBulkService/ExportTasks", false),
        ] {
            assert_eq!(uploads.matches(path), is_upload, "{path}");
        }
    }
}
