//! Plugins that are wrong on purpose, one flaw each.
//!
//! A stage is named after its flaw, `wrong/panic_in_call`; otherwise it repeats
//! its input `context` (f32 `[1, 3]`) over eight rows of `action`. A robot is
//! one joint with a gripper and a flaw, `wrong/nan_state`.

mod arms;
mod stages;

use arms::BadArm;
use stages::BadStage;

vola_plugin::export! {
    library: "wrong",
    stages: [
        // The one that cannot describe itself comes first: it must not hide the others.
        BadStage<0>, BadStage<1>, BadStage<2>, BadStage<3>, BadStage<4>, BadStage<5>,
        BadStage<6>, BadStage<7>, BadStage<8>, BadStage<9>, BadStage<10>, BadStage<11>,
        BadStage<12>, BadStage<13>, BadStage<14>, BadStage<15>,
    ],
    embodiments: [
        BadArm<0>, BadArm<1>, BadArm<2>, BadArm<3>, BadArm<4>, BadArm<5>, BadArm<6>,
        BadArm<7>, BadArm<8>, BadArm<9>, BadArm<10>, BadArm<11>, BadArm<12>, BadArm<13>,
        BadArm<14>, BadArm<15>, BadArm<16>, BadArm<17>, BadArm<18>, BadArm<19>, BadArm<20>,
        BadArm<21>, BadArm<22>, BadArm<23>,
    ],
}
