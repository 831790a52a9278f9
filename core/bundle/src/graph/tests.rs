use crate::fixtures::manifest;

fn names(indices: &[usize]) -> Vec<String> {
    let manifest = manifest();
    indices
        .iter()
        .map(|&index| manifest.stages()[index].name().to_owned())
        .collect()
}

#[test]
fn inputs_are_made_before_they_are_read() {
    let manifest = manifest();
    let graph = manifest.graph();
    assert_eq!(graph.order().len(), graph.stages().len());
    for (position, &index) in graph.order().iter().enumerate() {
        for input in graph.stages()[index].inputs() {
            if let Some(producer) = graph.producer(input) {
                let at = graph
                    .order()
                    .iter()
                    .position(|&other| other == producer)
                    .unwrap();
                assert!(at < position, "{input}");
            }
        }
    }
}

#[test]
fn only_the_stages_that_are_needed_run() {
    let manifest = manifest();
    let graph = manifest.graph();
    for (outputs, expected) in [
        (vec!["scene.objects"], vec!["scene_map", "scene"]),
        (
            vec!["action"],
            vec!["language", "vision", "proprio", "fusion", "actions"],
        ),
        (
            vec!["action", "progress"],
            vec![
                "language", "vision", "proprio", "fusion", "progress", "actions",
            ],
        ),
        (vec!["language.features"], vec!["language"]),
        (vec![], vec![]),
    ] {
        assert_eq!(
            names(&graph.needed_for(&outputs).unwrap()),
            expected,
            "{outputs:?}"
        );
    }
    let text = graph.needed_for(&["actoin"]).unwrap_err().to_string();
    assert!(
        text.contains("tensor `actoin`: no stage of the bundle makes it"),
        "{text}"
    );
}

#[test]
fn static_stages_depend_on_the_task_alone() {
    let manifest = manifest();
    let graph = manifest.graph();
    for (index, stage) in graph.stages().iter().enumerate() {
        assert_eq!(
            graph.is_static(index),
            stage.name() == "language",
            "{}",
            stage.name()
        );
    }
    let fusion = graph
        .stages()
        .iter()
        .position(|stage| stage.name() == "fusion")
        .unwrap();
    let sources = graph.sources(fusion).unwrap();
    assert!(sources.contains("task") && sources.contains("observation.images.front"));
    assert!(!sources.contains("vision.tokens"));
    let all = graph.needed_for(&["scene.objects"]).unwrap();
    assert_eq!(
        graph.features_of(&all).into_iter().collect::<Vec<_>>(),
        ["observation.images.front"]
    );
}
