//! Checks of an embodiment before it moves: settings, description, parts, cameras.

use vola_abi::{
    EmbodimentBox, EmbodimentPartsAbi, HostData, ImageBufferAbi,
    abi_stable::std_types::{ROption, RSliceMut, RStr},
};
use vola_types::{CameraDescription, EmbodimentDescription};

use super::{
    Subject, actuator, log,
    report::{Flaw, Rows, Verdict, refused, succeeded, survived},
};

const CONFIGURE_HELP: &str = "list working settings under \"examples\" in the settings schema, or pass settings to the check";
const OPEN_HELP: &str = "connect the robot, or mend `open`";

pub(super) fn check(rows: &mut Rows<'_>, subject: &Subject<'_>) {
    rows.record(
        "every entry before configure is an error",
        before_configure(subject),
    );
    rows.record("wrong settings are refused", wrong_settings(subject));
    if !rows.record(
        "takes its settings",
        configured(subject).map(|_| subject.settings.to_string()),
    ) {
        return;
    }
    let description = match described(subject) {
        Ok(description) => description,
        Err(flaw) => {
            rows.record("describes itself", Err(flaw));
            return;
        }
    };
    rows.record("describes itself", summary(&description));
    rows.record(
        "the URDF has the tool link and the joints",
        urdf(&description),
    );
    let mut robot = match opened(subject) {
        Ok(robot) => robot,
        Err(flaw) => {
            rows.record("opens", Err(flaw));
            return;
        }
    };
    rows.record("opens", parts_match(&description, &robot.parts));
    let seeded = actuator::seed(&mut robot.parts);
    if rows.record("takes a seed", seeded) {
        rows.record(
            "same seed, same world",
            same_world(&description, &mut robot.parts),
        );
    }
    actuator::check(rows, &description, &mut robot.parts);
    rows.record(
        "cameras fill their pictures",
        pictures(&description, &mut robot.parts),
    );
    rows.record(
        "cameras refuse other sizes",
        other_sizes(&description, &mut robot.parts),
    );
    rows.record(
        "questions of the evaluator do no harm",
        evaluator(&mut robot.parts),
    );
    rows.record("closes", closes(robot));
}

/// An opened robot. Parts are dropped before the robot is.
struct Opened {
    parts: EmbodimentPartsAbi,
    embodiment: EmbodimentBox,
}

fn created(subject: &Subject<'_>) -> Result<EmbodimentBox, Flaw> {
    let create = subject.module.create_embodiment();
    let name = RStr::from(subject.description.name.as_str());
    succeeded(
        "create_embodiment",
        create(name),
        "list the type among `embodiments` in `export!`",
    )
}

fn configured(subject: &Subject<'_>) -> Result<EmbodimentBox, Flaw> {
    let mut embodiment = created(subject)?;
    let settings = subject.settings.to_string();
    succeeded(
        "configure",
        embodiment.configure(RStr::from(settings.as_str())),
        CONFIGURE_HELP,
    )?;
    Ok(embodiment)
}

fn opened(subject: &Subject<'_>) -> Result<Opened, Flaw> {
    let mut embodiment = configured(subject)?;
    let services = log::services(&HostData::default());
    succeeded(
        "activate",
        embodiment.activate(services),
        "make `activate` succeed with default settings",
    )?;
    let parts = succeeded("open", embodiment.open(), OPEN_HELP)?;
    Ok(Opened { parts, embodiment })
}

fn before_configure(subject: &Subject<'_>) -> Verdict {
    let help = "answer with a fault until `configure` has succeeded";
    let mut embodiment = created(subject)?;
    refused("describe", embodiment.describe(), help)?;
    refused(
        "activate",
        embodiment.activate(log::services(&HostData::default())),
        help,
    )?;
    refused("open", embodiment.open(), help)
}

fn wrong_settings(subject: &Subject<'_>) -> Verdict {
    let help = "check the settings in `configure`: deny unknown keys and return Fault::settings";
    let bad = subject.bad_settings();
    for (what, settings) in &bad {
        let mut embodiment = created(subject)?;
        let answer = embodiment.configure(RStr::from(settings.to_string().as_str()));
        refused(&format!("configure with {what}"), answer, help)?;
    }
    Ok(format!("{} kinds of wrong settings", bad.len()))
}

fn described(subject: &Subject<'_>) -> Result<EmbodimentDescription, Flaw> {
    let help = "mend the description: every limit finite and positive, home inside the limits";
    let mut embodiment = configured(subject)?;
    let text = succeeded("describe", embodiment.describe(), help)?;
    let description: EmbodimentDescription = serde_json::from_str(&text)
        .map_err(|error| Flaw::fault(format!("the description does not parse: {error}"), help))?;
    description.check().map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        Flaw::fault(lines.join("; "), help)
    })?;
    Ok(description)
}

fn summary(description: &EmbodimentDescription) -> Verdict {
    let spaces: Vec<&str> = description
        .action_spaces
        .iter()
        .map(|space| space.as_str())
        .collect();
    Ok(format!(
        "{} joints, {} camera(s), {}",
        description.joints.len(),
        description.cameras.len(),
        spaces.join(", ")
    ))
}

/// A text check: the runtime reads the URDF in full.
fn urdf(description: &EmbodimentDescription) -> Verdict {
    let urdf = &description.urdf;
    let has = |element: &str, name: &str| {
        urdf.split('<').any(|tag| {
            let mut words = tag.split_whitespace();
            words.next() == Some(element)
                && (tag.contains(&format!("name=\"{name}\""))
                    || tag.contains(&format!("name='{name}'")))
        })
    };
    if !has("link", &description.tool_link) {
        return Err(Flaw::fault(
            format!("the URDF has no link `{}`", description.tool_link),
            "add a fixed joint and a link at the pinch point, z out of the gripper",
        ));
    }
    for joint in &description.joints {
        if !has("joint", &joint.name) {
            return Err(Flaw::fault(
                format!("the URDF has no joint `{}`", joint.name),
                "use the URDF's joint names in the description",
            ));
        }
    }
    Ok(format!("tool link `{}`", description.tool_link))
}

fn parts_match(description: &EmbodimentDescription, parts: &EmbodimentPartsAbi) -> Verdict {
    let mut described: Vec<&str> = description
        .cameras
        .iter()
        .map(|it| it.key.as_str())
        .collect();
    let mut given: Vec<&str> = parts.cameras.iter().map(|it| it.key.as_str()).collect();
    described.sort_unstable();
    given.sort_unstable();
    if described != given {
        return Err(Flaw::fault(
            format!("described cameras {described:?}, opened {given:?}"),
            "open exactly the cameras of the description",
        ));
    }
    let world = if parts.simulation.is_some() {
        "with"
    } else {
        "without"
    };
    Ok(format!("{} camera(s), {world} a simulation", given.len()))
}

fn grab(
    camera: &CameraDescription,
    parts: &mut EmbodimentPartsAbi,
    size: [u32; 2],
) -> Option<vola_abi::CallResult<Vec<u8>>> {
    let part = parts
        .cameras
        .iter_mut()
        .find(|part| part.key == camera.key.as_str())?;
    let [width, height] = size;
    let mut pixels = vec![0_u8; width as usize * height as usize * 3];
    let mut image = ImageBufferAbi {
        width,
        height,
        capture_time_ns: 0,
        data: RSliceMut::from_mut_slice(&mut pixels),
    };
    let answer = part.camera.grab(&mut image);
    Some(answer.map(|()| pixels))
}

fn pictures(description: &EmbodimentDescription, parts: &mut EmbodimentPartsAbi) -> Verdict {
    let help = "write u8 [height, width, 3] of the described size into the buffer";
    let mut seen = Vec::new();
    for camera in &description.cameras {
        if let Some(answer) = grab(camera, parts, [camera.width, camera.height]) {
            let pixels = succeeded(&format!("grab of `{}`", camera.key), answer, help)?;
            if pixels.iter().all(|value| *value == 0) {
                return Err(Flaw::fault(
                    format!("camera `{}` left the picture black", camera.key),
                    help,
                ));
            }
            seen.push(format!(
                "{} {} × {}",
                camera.key, camera.width, camera.height
            ));
        }
    }
    if seen.is_empty() {
        Err(Flaw::skipped("no cameras"))
    } else {
        Ok(seen.join(", "))
    }
}

fn other_sizes(description: &EmbodimentDescription, parts: &mut EmbodimentPartsAbi) -> Verdict {
    let help = "compare the buffer's size with the described one and return Fault::input";
    let mut refusals = 0;
    for camera in &description.cameras {
        for size in [
            [camera.width + 1, camera.height],
            [camera.height, camera.width + 3],
            [1, 1],
            [0, 0],
        ] {
            if let Some(answer) = grab(camera, parts, size) {
                let entry = format!("grab of `{}` at {} × {}", camera.key, size[0], size[1]);
                refused(&entry, answer, help)?;
                refusals += 1;
            }
        }
    }
    if refusals == 0 {
        Err(Flaw::skipped("no cameras"))
    } else {
        Ok(format!("{refusals} refusals"))
    }
}

fn same_world(description: &EmbodimentDescription, parts: &mut EmbodimentPartsAbi) -> Verdict {
    let help = "draw the scene from the seed of `Simulation::reset` alone";
    let mut look = || -> Result<(Vec<f64>, Vec<Vec<u8>>), Flaw> {
        actuator::seed(parts)?;
        let state = actuator::state(parts)?.positions().to_vec();
        let mut pictures = Vec::new();
        for camera in &description.cameras {
            if let Some(answer) = grab(camera, parts, [camera.width, camera.height]) {
                pictures.push(succeeded("grab", answer, help)?);
            }
        }
        Ok((state, pictures))
    };
    let (first, second) = (look()?, look()?);
    let same_state = first
        .0
        .iter()
        .map(|x| x.to_bits())
        .eq(second.0.iter().map(|x| x.to_bits()));
    if !same_state {
        return Err(Flaw::fault(
            format!("states {:?} and {:?}", first.0, second.0),
            help,
        ));
    }
    if first.1 != second.1 {
        return Err(Flaw::fault("the pictures differ", help));
    }
    Ok("state and pictures".to_owned())
}

fn evaluator(parts: &mut EmbodimentPartsAbi) -> Verdict {
    let help = "return a fault where there is no goal, no expert or no understanding";
    let ROption::RSome(world) = &mut parts.simulation else {
        return Err(Flaw::skipped("no simulation"));
    };
    survived(world.set_goal(RStr::from("{\"no_such_goal\":true}")), help)?;
    survived(world.goal_reached(), help)?;
    survived(world.demonstrate(), help)?;
    survived(world.reset(1, RStr::from("[\"no such task\"]")), help)?;
    Ok("answers or faults, no panic".to_owned())
}

fn closes(robot: Opened) -> Verdict {
    let help = "nothing in `deactivate` or `Drop` may panic";
    let Opened {
        parts,
        mut embodiment,
    } = robot;
    log::take_errors();
    drop(parts);
    succeeded("deactivate", embodiment.deactivate(), help)?;
    drop(embodiment);
    match log::take_errors().pop() {
        Some(error) => Err(Flaw::fault(error, help)),
        None => Ok("parts dropped, then deactivated".to_owned()),
    }
}
