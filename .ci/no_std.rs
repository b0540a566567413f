//! Compiles only if nothing below the crate links `std`: `std` defines the panic handler, and the
//! compiler refuses a second one. That needs no target without `std` to be installed.
#![no_std]

use core::panic::PanicInfo;

// Only a crate that is named is loaded, with everything that it depends on.
extern crate websocket_proto as _;

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}
