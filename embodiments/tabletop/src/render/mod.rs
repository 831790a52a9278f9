//! Pictures of the world, on the CPU.
//!
//! A z-buffer rasteriser of our own: it needs no system library, gives the
//! same pixels everywhere, and takes a few milliseconds for the pictures that
//! the policy sees. It keeps a normal and a part number per sample and shades
//! each visible sample once, so that overdraw costs little; shadows come from
//! a depth map seen from the light and fall on the table and on everything
//! else. Ray casting the collision shapes was the alternative: simpler, but
//! five times slower and without round shapes.

mod camera;
mod light;
mod mesh;
mod model;
mod raster;
mod renderer;

pub(crate) use camera::{CameraView, front_camera, overview_camera, wrist_camera, wrist_in_tool};
pub(crate) use model::{MAX_BODIES, SceneModel, Snapshot};
pub(crate) use renderer::Renderer;

#[cfg(test)]
pub(crate) mod tests;
