//! A random step on the store and on the model.

use chrono::{Days, NaiveDate};
use shared::{auth::Owner, error::Refusal};
use uuid::Uuid;

use super::{
    super::world::{World, not_found, requested, titled},
    expected::{Expected, Seen},
};
use crate::{
    domain::{
        due::Due,
        recurrence::{RepeatFrom, Rule},
        task::{Content, DueChange, Priority, Repeat, Tags, Task, TaskPatch, Title},
        zone::Zone,
    },
    error::Error,
    store::MoveTarget,
};

/// Numbers without a pattern, the same in every run (the generator of Knuth's MMIX).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).expect("31 bits") % end
    }
}

const TITLES: [&str; 4] = ["Water", "Éclair", "milk", "100 %"];

fn tags(random: &mut Random) -> Vec<String> {
    ["Home", "Work", "café"][..random.below(4)].iter().map(ToString::to_string).collect()
}

fn day(random: &mut Random) -> NaiveDate {
    let first = NaiveDate::from_ymd_opt(2023, 11, 20).expect("a date");
    first + Days::new(random.below(30) as u64)
}

fn new_task(random: &mut Random) -> Content {
    let title = TITLES[random.below(TITLES.len())];
    let new = Content { tags: Tags::parse(tags(random)).expect("tags"), ..titled(title) };
    if random.below(3) != 0 {
        return new;
    }
    let rule = Rule::parse("FREQ=DAILY;INTERVAL=2").expect("a rule");
    let recurrence = Some(Repeat { rule, from: RepeatFrom::Due, zone: Zone::UTC });
    Content { due: Some(Due::Date(day(random))), recurrence, ..new }
}

fn patch(random: &mut Random) -> TaskPatch {
    let mut patch = TaskPatch::default();
    match random.below(4) {
        0 => patch.title = Title::parse(TITLES[random.below(TITLES.len())]).ok(),
        1 => patch.tags = Some(Tags::parse(tags(random)).expect("tags")),
        2 => patch.due = Some(DueChange::Set(Due::Date(day(random)))),
        _ => patch.priority = [Priority::Low, Priority::High].get(random.below(2)).copied(),
    }
    patch
}

/// Runs a random step and returns its description.
pub async fn step(
    world: &World,
    owner: &Owner,
    model: &mut Expected,
    strangers: &[Uuid],
    random: &mut Random,
) -> String {
    let known = model.ids();
    let action = if known.is_empty() { 0 } else { random.below(10) };
    if action <= 1 {
        let made = world.tasks.create(owner, new_task(random)).await.expect("created");
        model.push(Seen::of(&made));
        return format!("created {}", made.id);
    }
    if action == 2 {
        let key = format!("key {}", random.below(3)).replace(' ', "-");
        return create_once(world, owner, model, &key).await;
    }
    // Now and then a task of another user, which is unknown.
    let foreign = !strangers.is_empty() && random.below(8) == 0;
    let id = if foreign {
        strangers[random.below(strangers.len())]
    } else {
        known[random.below(known.len())]
    };
    let other = known[random.below(known.len())];
    let there = model.get(id).is_some();
    let tasks = &world.tasks;
    let (what, answer) = match action {
        3 | 4 => ("completed", tasks.complete(owner, id).await),
        5 => ("toggled", tasks.toggle(owner, id, None).await),
        6 => ("patched", tasks.update(owner, id, patch(random), None).await),
        7 => return delete(world, owner, model, id).await,
        8 => return undelete(world, owner, model, id).await,
        _ => return move_task(world, owner, model, (id, other), random).await,
    };
    if !there {
        assert!(not_found(&answer), "{what} {id}");
        return format!("{what} nothing");
    }
    let task = answer.expect("done");
    let before = model.get(id).expect("there").clone();
    let now = Seen::of(&task).without_place();
    *model.get(id).expect("there") = now.clone();
    if before.repeats == Some(false) && now.repeats == Some(true) {
        let next = successor(world, owner, &task).await;
        assert_eq!(next.completed, !task.completed());
        model.succeed(id, next);
    } else {
        assert_eq!(before.repeats, now.repeats, "followed only where one was made");
    }
    format!("{what} {id}")
}

/// The task that was made when `done` was: found by its place in the series.
async fn successor(world: &World, owner: &Owner, done: &Task) -> Seen {
    let series = done.series.expect("one of a series");
    let all = crate::query::sync::SyncRequest { size: 200, after: None };
    let tasks = world.tasks.sync(owner, &all).await.expect("all").tasks;
    let next = tasks.into_iter().find(|task| {
        task.series
            .is_some_and(|other| (other.id, other.occurrence) == (series.id, series.occurrence + 1))
    });
    Seen::of(&next.expect("the next one"))
}

async fn create_once(world: &World, owner: &Owner, model: &mut Expected, key: &str) -> String {
    let answer = world.tasks.create(owner, requested("once", key)).await;
    match answer {
        Ok(task) if model.is_gone(task.id) == Some(false) => {
            assert_eq!(model.get(task.id), Some(&mut Seen::of(&task).without_place()));
            format!("repeated {key}")
        }
        Ok(task) => {
            assert_eq!(model.is_gone(task.id), None, "a new one");
            model.push(Seen::of(&task));
            format!("created once {key}")
        }
        Err(Error::Refused(Refusal::RequestIdReused)) => format!("{key} made what was deleted"),
        Err(error) => panic!("{error:?}"),
    }
}

async fn delete(world: &World, owner: &Owner, model: &mut Expected, id: Uuid) -> String {
    let answer = world.tasks.delete(owner, id, None).await;
    match model.set_gone(id, true) {
        Some(()) => answer.expect("deleted"),
        None => assert!(not_found(&answer)),
    }
    format!("deleted {id}")
}

async fn undelete(world: &World, owner: &Owner, model: &mut Expected, id: Uuid) -> String {
    let answer = world.tasks.undelete(owner, id, None).await;
    if model.is_gone(id).is_some() {
        model.set_gone(id, false);
        assert_eq!(answer.expect("back").deleted_at, None);
    } else {
        assert!(not_found(&answer));
    }
    format!("undeleted {id}")
}

async fn move_task(
    world: &World,
    owner: &Owner,
    model: &mut Expected,
    (id, other): (Uuid, Uuid),
    random: &mut Random,
) -> String {
    let (target, before, after) = match random.below(3) {
        0 => (MoveTarget::Before(other), Some(other), None),
        1 => (MoveTarget::After(other), None, Some(other)),
        _ => (MoveTarget::End, None, None),
    };
    let answer = world.tasks.move_task(owner, id, target, None).await;
    let named = target == MoveTarget::End || model.get(other).is_some() || id == other;
    if model.get(id).is_none() || !named {
        assert!(not_found(&answer), "{answer:?}");
        return format!("moved nothing {id}");
    }
    answer.expect("moved");
    if id != other || target == MoveTarget::End {
        model.move_to(id, before, after);
    }
    format!("moved {id} {target:?}")
}
