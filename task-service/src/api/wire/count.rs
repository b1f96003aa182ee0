//! Counts on the wire.

use proto::task::v1 as pb;

use crate::query::count::Counts;

impl From<Counts> for pb::CountTasksResponse {
    fn from(counts: Counts) -> Self {
        let Counts { open, completed, overdue, priorities, tags, is_partial } = counts;
        Self {
            total: open + completed,
            open,
            completed,
            overdue,
            priorities: priorities
                .into_iter()
                .map(|(priority, count)| pb::PriorityCount {
                    priority: pb::Priority::from(priority).into(),
                    count,
                })
                .collect(),
            tags: tags.into_iter().map(|(tag, count)| pb::TagCount { tag, count }).collect(),
            partial: is_partial.then_some(true),
        }
    }
}
