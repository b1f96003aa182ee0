//! Uploads: the calls whose bodies may take longer than other calls, and be larger.

/// The paths of uploads, by pattern.
#[derive(Clone, Debug, Default)]
pub struct Uploads(Vec<&'static str>);

impl Uploads {
    /// Adds a path; a segment in braces (`{user_id}`) matches any that is not empty.
    pub fn add(&mut self, pattern: &'static str) {
        self.0.push(pattern);
    }

    /// Whether a call to `path` is an upload.
    pub fn matches(&self, path: &str) -> bool {
        self.0.iter().any(|pattern| fits(pattern, path))
    }
}

fn fits(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted == given => {}
            (Some(wanted), Some(given)) if wanted.starts_with('{') && !given.is_empty() => {}
            _ => return false,
        }
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
            ("/api//tasks/import", false),
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
