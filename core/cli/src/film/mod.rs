//! Pictures and animations for people.

mod camera;
mod canvas;
mod caption;
mod diagram;
mod font;
mod gif_file;
mod palette;
mod png_file;
mod reel;
mod sheet;

pub(crate) use camera::{Film, people_camera};
pub(crate) use diagram::reliability_picture;
pub(crate) use png_file::{png_bytes, write_png};
use reel::Reel;
pub(crate) use sheet::Sheet;
