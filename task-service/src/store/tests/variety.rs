//! Sixty different tasks of two users, and the expected result of each filter without a database.

use std::cmp::Reverse;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::world::{World, owner};
use crate::{
    domain::{
        due::Due,
        task::{Content, Description, Priority, Tags, Task, sample, tags},
        text::fold,
        timestamp::Timestamp,
        zone::Zone,
    },
    entity::task::{Column, Entity},
    query::{
        filter::Filter,
        page::PageRequest,
        sort::{Sort, SortKey},
    },
    store::{MoveTarget, read},
};

/// A generator with a fixed beginning: the same tasks in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("small") % sides
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len())].clone()
    }
}

const WORDS: [&str; 14] = [
    "Milk",
    "milkshake",
    "Crème",
    "BRÛLÉE",
    "100%",
    "it's",
    "\"quoted\"",
    "a:b*",
    "straße",
    "牛乳を2本買う",
    "重跑gen-itgc后50条",
    "ร้านกาแฟ",
    "NEAR",
    "\\x | y & !z",
];
const TAGS: [&str; 8] = ["Home", "home office", "café", "CAFÉ", "cafe", "work", "a\"b'c", "かぎ"];

/// The days of filters, and those around them.
pub const DAYS: [&str; 4] = ["2023-11-13", "2023-11-14", "2023-11-15", "2024-02-29"];

/// Zones at both ends of the day, and one with summer time.
pub const ZONES: [&str; 4] = ["UTC", "Europe/Berlin", "Pacific/Kiritimati", "Pacific/Pago_Pago"];

impl World {
    /// Makes the tasks: thirty of each user, some done, some in the trash, moved about.
    pub async fn varied(&self) {
        let mut dice = Dice(4);
        for user in ["alice", "bob"] {
            let owner = owner(user);
            let mut made: Vec<Task> = Vec::new();
            for n in 0..30 {
                if dice.roll(3) > 0 {
                    self.later(1);
                }
                let task = self.tasks.create(&owner, new(&mut dice)).await.expect("created");
                if n % 4 == 1 {
                    self.tasks.complete(&owner, task.id).await.expect("completed");
                }
                if n % 7 == 3 {
                    let target = MoveTarget::Before(dice.pick(&made).id);
                    self.tasks.move_task(&owner, task.id, target, None).await.expect("moved");
                }
                made.push(task);
            }
            for task in made.iter().step_by(6) {
                self.later(1);
                self.tasks.delete(&owner, task.id, None).await.expect("deleted");
            }
        }
    }

    /// All tasks of `user`, in the trash or not, in no order.
    pub async fn everything(&self, user: &str) -> Vec<Task> {
        #[expect(clippy::disallowed_methods, reason = "the model does not ask as the store does")]
        let selection = Entity::find().filter(Column::UserId.eq(user));
        read::all(self.database.reader(), &owner(user), selection).await.expect("tasks")
    }

    /// The ids that `request` finds for `user`, all pages.
    pub async fn found(&self, user: &str, request: PageRequest) -> Vec<Task> {
        super::lists::all(self, user, request, async || {}).await
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::now(&*self.clock)
    }
}

fn new(dice: &mut Dice) -> Content {
    let title = format!("{} {}", dice.pick(&WORDS), dice.pick(&WORDS));
    let description = format!("{}, {}", dice.pick(&WORDS), dice.pick(&WORDS));
    let tags = (0..dice.roll(4)).map(|_| dice.pick(&TAGS).to_owned()).collect();
    let day = Due::parse_date(dice.pick(&DAYS)).expect("a day");
    let zone = Zone::parse(dice.pick(&ZONES)).expect("a zone");
    let due = match dice.roll(4) {
        0 => None,
        1 => Some(Due::Date(day)),
        2 => Some(Due::At { moment: zone.day_start(day), zone }),
        _ => {
            let hour = i64::try_from(dice.roll(24)).expect("small") * 3_600_000_000;
            let moment = Timestamp::from_micros(Zone::UTC.day_start(day).micros() + hour);
            Some(Due::At { moment, zone })
        }
    };
    let priorities = [Priority::Low, Priority::Medium, Priority::High, Priority::Urgent];
    Content {
        description: Description::parse(description).expect("a description"),
        tags: Tags::parse(tags).expect("tags"),
        priority: dice.pick(&priorities),
        due,
        ..sample(&title)
    }
}

/// Whether `task` passes, read off its fields one by one.
pub fn passes(filter: &Filter, task: &Task, now: Timestamp) -> bool {
    let keys: Vec<_> =
        task.content.tags.as_slice().iter().map(|tag| tags::key(tag).expect("one")).collect();
    let has = |key: &String| keys.contains(key);
    let texts: Vec<_> = task.content.texts().collect();
    let text = fold(&texts.join("\n")).into_owned();
    let day = task.content.due.as_ref().map(|due| match due {
        Due::Date(day) => *day,
        Due::At { moment, .. } => filter.zone.local(*moment).date(),
    });
    let is_overdue = task.completed_at.is_none()
        && task.content.due.as_ref().is_some_and(|due| due.is_overdue(now, &filter.zone));
    filter.deleted == task.deleted_at.is_some()
        && filter.completed.is_none_or(|state| state == task.completed())
        && (filter.priorities.is_empty() || filter.priorities.contains(&task.content.priority))
        && (filter.tags_any.is_empty() || filter.tags_any.iter().any(has))
        && filter.tags_all.iter().all(has)
        && !filter.tags_none.iter().any(has)
        && filter.due_from.is_none_or(|from| day.is_some_and(|day| day >= from))
        && filter.due_until.is_none_or(|until| day.is_some_and(|day| day <= until))
        && filter.overdue.is_none_or(|overdue| overdue == is_overdue)
        && filter.has_due.is_none_or(|has_due| has_due == task.content.due.is_some())
        && filter.words.iter().all(|word| has_word(&text, word))
}

/// Whether `word` stands in `text`, both folded, at a place where a word can begin: not
/// after a letter or digit, unless either of the two is of a script without spaces.
pub fn has_word(text: &str, word: &str) -> bool {
    // The scripts of these tests, as ranges; the index asks Unicode.
    let is_unspaced = |c: char| {
        ('\u{e00}'..='\u{eff}').contains(&c)
            || ('\u{1000}'..='\u{109f}').contains(&c)
            || ('\u{1780}'..='\u{17ff}').contains(&c)
            || ('\u{3041}'..='\u{9fff}').contains(&c)
            || ('\u{ac00}'..='\u{d7a3}').contains(&c)
    };
    let is_mark = |c: char| ('\u{900}'..='\u{963}').contains(&c) && !c.is_alphabetic();
    let starts = text.char_indices().map(|(at, _)| at);
    starts.filter(|at| text[*at..].starts_with(word)).any(|at| {
        let before = text[..at].chars().next_back();
        let is_inside = before.is_some_and(|c| c.is_alphanumeric() || is_mark(c));
        !is_inside || is_unspaced(before.unwrap_or(' ')) || word.starts_with(is_unspaced)
    })
}

/// Sorts `tasks`, those without a key last.
pub fn in_order(tasks: &mut [Task], Sort { by, descending }: Sort) {
    let key = |task: &Task| (SortKey::of(task, by), task.id);
    if descending {
        tasks.sort_by_key(|task| (key(task).0 == SortKey::None, Reverse(key(task))));
    } else {
        tasks.sort_by_key(key);
    }
}
