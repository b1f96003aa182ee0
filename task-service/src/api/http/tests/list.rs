//! Lists and counts: every parameter in either spelling, and links that lead on.

use super::*;

impl World {
    async fn titles(&self, query: &str) -> Vec<String> {
        let answer = self.ask("GET", &format!("/tasks?{query}"), Value::Null).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
        let tasks = answer.body.as_array().expect("a list");
        tasks.iter().map(|task| task["title"].as_str().expect("a title").to_owned()).collect()
    }

    async fn stocked(&self) {
        for body in [
            json!({"title": "Crème", "tags": ["Food", "café"], "priority": "urgent",
                "due_date": "2020-02-29"}),
            json!({"title": "brûlée", "tags": ["food"], "priority": "high",
                "due_at": "2020-03-01T23:30:00Z", "due_zone": "Europe/Berlin"}),
            json!({"title": "Alone", "description": "crème & co"}),
        ] {
            let made = self.ask("POST", "/tasks", body).await;
            assert_eq!(made.status, 201, "{}", made.body);
        }
    }
}

#[tokio::test]
async fn every_filter_and_sort_is_a_parameter_in_either_spelling() {
    let world = World::start().await;
    world.stocked().await;
    for (query, titles) in [
        ("", &["Alone", "brûlée", "Crème"][..]),
        ("sort=title", &["Alone", "brûlée", "Crème"]),
        ("sort=title&descending=true", &["Crème", "brûlée", "Alone"]),
        ("sort=created&descending=false", &["Crème", "brûlée", "Alone"]),
        ("sort=due&descending=true", &["brûlée", "Crème", "Alone"]),
        ("priorities=high&priorities=urgent&sort=priority", &["brûlée", "Crème"]),
        ("tags_any=FOOD&tagsAny=x", &[]),
        ("tags_any=FOOD&tags_any=x", &["brûlée", "Crème"]),
        ("tagsAll=food&tagsAll=CAF%C3%89", &["Crème"]),
        ("tags_none=food", &["Alone"]),
        ("tagsNone=caf%C3%A9", &["Alone", "brûlée"]),
        ("tags_any=cafe", &[]),
        ("due_from=2020-03-01&dueUntil=2020-03-01", &["brûlée"]),
        ("dueFrom=2020-03-02&timeZone=Europe/Berlin", &["brûlée"]),
        ("due_until=2020-02-29&time_zone=Europe/Berlin", &["Crème"]),
        ("has_due=false", &["Alone"]),
        ("hasDue=true&overdue=true", &["brûlée", "Crème"]),
        ("overdue=false", &["Alone"]),
        ("text=CREME", &["Alone", "Crème"]),
        ("text=cr%C3%A8me+co", &["Alone"]),
        ("text=%22cr%25", &["Alone", "Crème"]),
        ("completed=true", &[]),
        ("deleted=true", &[]),
    ] {
        if query == "tags_any=FOOD&tagsAny=x" {
            let twice = world.ask("GET", &format!("/tasks?{query}"), Value::Null).await;
            assert_eq!(twice.status, 400, "one parameter in two spellings");
            continue;
        }
        assert_eq!(world.titles(query).await, titles, "{query}");
    }
}

#[tokio::test]
async fn a_link_asks_for_the_same_list() {
    let world = World::start().await;
    world.stocked().await;
    let query =
        "sort=title&descending=true&tagsNone=x&tagsNone=y&text=c&page_size=1&includeTotal=true";
    let first = world.ask("GET", &format!("/tasks?{query}"), Value::Null).await;
    assert_eq!((&first.body[0]["title"], text(&first, "x-total-count")), (&json!("Crème"), "2"));
    let link = text(&first, "link").to_owned();
    let next = link.strip_prefix("</api/ada").and_then(|link| link.strip_suffix(">; rel=\"next\""));
    let next = next.expect("a link");
    assert!(next.ends_with(&format!("&{query}")), "{next}");
    let last = world.ask("GET", next, Value::Null).await;
    assert_eq!((&last.body[0]["title"], text(&last, "link")), (&json!("Alone"), ""));
    for other in [next.replace("tagsNone=y", "tagsNone=z"), next.replace("=title", "=updated")] {
        let other = world.ask("GET", &other, Value::Null).await;
        assert_eq!((other.status, &other.body["errors"][0]["field"]), (400, &json!("page_token")));
    }
    let turned = next.replace("tagsNone=x&tagsNone=y", "tagsNone=y&tagsNone=X");
    assert_eq!(world.ask("GET", &turned, Value::Null).await.status, 200, "the same filter");
}

#[tokio::test]
async fn the_trash_is_a_list_of_its_own() {
    let world = World::start().await;
    world.stocked().await;
    for text in ["bru", "alone"] {
        let found = world.ask("GET", &format!("/tasks?text={text}"), Value::Null).await;
        let id = found.body[0]["id"].as_str().expect("an id");
        assert_eq!(world.ask("DELETE", &format!("/tasks/{id}"), Value::Null).await.status, 204);
    }
    let trash = world.ask("GET", "/tasks?deleted=true", Value::Null).await;
    assert!(trash.body[0]["deleted_at"].is_string());
    assert_eq!(world.titles("deleted=true").await, ["Alone", "brûlée"], "deleted last");
    assert_eq!(world.titles("deleted=true&descending=false").await, ["brûlée", "Alone"]);
    assert_eq!(world.titles("deleted=true&text=co&sort=title").await, ["Alone"]);
    assert_eq!(world.titles("").await, ["Crème"]);
}

#[tokio::test]
async fn counts_take_the_filters_of_the_list() {
    let world = World::start().await;
    world.stocked().await;
    let all = world.ask("GET", "/tasks/counts", Value::Null).await;
    assert_eq!(
        (all.status, all.body),
        (
            200,
            json!({
                "total": 3, "open": 3, "completed": 0, "overdue": 2,
                "priorities": [
                    {"priority": "medium", "count": 1}, {"priority": "high", "count": 1},
                    {"priority": "urgent", "count": 1},
                ],
                "tags": [{"tag": "food", "count": 2}, {"tag": "café", "count": 1}],
            })
        )
    );
    let some =
        world.ask("GET", "/tasks/counts?tagsAny=caf%C3%A9&text=cr&overdue=true", Value::Null);
    assert_eq!(some.await.body["total"], 1);
    let sorted = world.ask("GET", "/tasks/counts?sort=due&deleted=true", Value::Null).await;
    assert_eq!((sorted.status, sorted.body["errors"].as_array().map(Vec::len)), (400, Some(2)));
}

#[tokio::test]
async fn every_faulty_parameter_is_named() {
    let world = World::start().await;
    for (path, faults) in [
        (
            "/tasks?priorities=high&priorities=High&sort=name&has_due=yes",
            &["priorities", "sort", "has_due"][..],
        ),
        (
            "/tasks?tags_any=&due_from=2026-02-30&due_until=1969-12-31&text=%25&time_zone=Mars",
            &["tags_any", "due_from", "due_until", "text", "time_zone"],
        ),
        ("/tasks/counts?due_from=2026-01-02&due_until=2026-01-01", &["due_until"]),
        ("/tasks/counts?text=a&text=b&nothing=1", &["text", "nothing"]),
        ("/tasks?page_token=AAAA", &["page_token"]),
    ] {
        let answer = world.ask("GET", path, Value::Null).await;
        let errors = answer.body["errors"].as_array().cloned().unwrap_or_default();
        let fields: Vec<_> = errors.iter().filter_map(|fault| fault["field"].as_str()).collect();
        assert_eq!((answer.status, &fields[..]), (400, faults), "{path}");
    }
}

#[test]
fn the_document_describes_the_parameters() {
    let api = serde_json::to_value(openapi::document(&routes())).expect("JSON");
    for (path, count) in [("/api/{user_id}/tasks", 18), ("/api/{user_id}/tasks/counts", 12)] {
        let all = api["paths"][path]["get"]["parameters"].as_array().expect("parameters");
        assert_eq!(all.len(), count, "{path}");
        let schema = |name: &str| {
            let one = all.iter().find(|one| one["name"] == name).expect(name);
            assert_eq!(one["required"] == json!(true), name == "user_id", "{name}");
            one["schema"].to_string()
        };
        assert!(schema("priorities").contains(r#"["low","medium","high","urgent"]"#));
        assert!(
            schema("tags_any").contains(r#""maxItems":20"#) && schema("tags_all").contains("50")
        );
        assert!(schema("due_from").contains(r#""format":"date""#));
        assert!(schema("text").contains(r#""maxLength":200"#));
        if count == 18 {
            assert!(schema("sort").contains(r#""created","updated","due""#));
        }
    }
}
