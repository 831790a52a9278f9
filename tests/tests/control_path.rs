//! The control loop with loaded plugins allocates nothing and waits for no lock.
//!
//! This binary takes the place of the C library's `malloc`, of its locks and of
//! its system calls, and so counts what plugins do as well: they are libraries
//! of their own, with an allocator of their own, but all of them end there.
//! Counted are waits for a lock of Rust's (one that is free makes no call, and
//! costs nothing) and every use of a lock of the C library's.
#![cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
#![allow(
    unsafe_code,
    clippy::unwrap_used,
    reason = "functions of the C library are replaced; in a test a panic is the report"
)]

use std::{
    cell::Cell,
    ffi::{CStr, c_int, c_long, c_void},
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use vola_bundle::Deployment;
use vola_runtime::{
    ClockMode, Drive, PluginOptions, PolicyUse, Session, SessionOptions, Shipped, StopLevel,
};
use vola_tests::workspace;

/// Ticks with the simulated arm, with the one without physics, and with the same in
/// a process of its own; `VOLA_CONTROL_PATH_TICKS=600000` asks for more.
const TABLETOP_TICKS: u64 = 20_000;
const MOCK_TICKS: u64 = 40_000;
const ISOLATED_TICKS: u64 = 5_000;
/// Puts it there.
const IN_ITS_OWN: &str = "[plugins.isolation]\nmock = 'process'";
/// Ticks before anything counts.
const WARM_UP_S: f64 = 1.0;

thread_local! {
    /// Whether what this thread does is counted.
    static IS_WATCHED: Cell<bool> = const { Cell::new(false) };
    /// Whether this thread was asked for its name: 0 no, 1 another, 2 control.
    static KIND: Cell<u8> = const { Cell::new(0) };
}

/// Set while the real control thread is to be counted.
static IS_ARMED: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static RELEASES: AtomicU64 = AtomicU64::new(0);
static LOCKS: AtomicU64 = AtomicU64::new(0);

fn count(counter: &AtomicU64) {
    if IS_WATCHED.with(Cell::get) || (IS_ARMED.load(Ordering::Relaxed) && is_control_thread()) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// By its name, asked once.
fn is_control_thread() -> bool {
    KIND.with(|kind| {
        if kind.get() == 0 {
            let mut name = [0_u8; 16];
            // SAFETY: `name` holds the 16 bytes that a thread's name may have.
            let result = unsafe {
                libc::pthread_getname_np(libc::pthread_self(), name.as_mut_ptr().cast(), name.len())
            };
            let is_it = result == 0 && name.starts_with(b"vola-control");
            kind.set(if is_it { 2 } else { 1 });
        }
        kind.get() == 2
    })
}

unsafe extern "C" {
    fn __libc_malloc(size: usize) -> *mut c_void;
    fn __libc_calloc(count: usize, size: usize) -> *mut c_void;
    fn __libc_realloc(pointer: *mut c_void, size: usize) -> *mut c_void;
    fn __libc_memalign(alignment: usize, size: usize) -> *mut c_void;
    fn __libc_free(pointer: *mut c_void);
}

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn malloc(size: usize) -> *mut c_void {
    count(&ALLOCATIONS);
    // SAFETY: the caller's contract is passed on.
    unsafe { __libc_malloc(size) }
}

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn calloc(number: usize, size: usize) -> *mut c_void {
    count(&ALLOCATIONS);
    // SAFETY: the caller's contract is passed on.
    unsafe { __libc_calloc(number, size) }
}

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(pointer: *mut c_void, size: usize) -> *mut c_void {
    count(&ALLOCATIONS);
    // SAFETY: the caller's contract is passed on.
    unsafe { __libc_realloc(pointer, size) }
}

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn memalign(alignment: usize, size: usize) -> *mut c_void {
    count(&ALLOCATIONS);
    // SAFETY: the caller's contract is passed on.
    unsafe { __libc_memalign(alignment, size) }
}

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn aligned_alloc(alignment: usize, size: usize) -> *mut c_void {
    count(&ALLOCATIONS);
    // SAFETY: the caller's contract is passed on.
    unsafe { __libc_memalign(alignment, size) }
}

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn posix_memalign(out: *mut *mut c_void, alignment: usize, size: usize) -> c_int {
    count(&ALLOCATIONS);
    // SAFETY: the caller's contract is passed on.
    let pointer = unsafe { __libc_memalign(alignment, size) };
    if pointer.is_null() {
        return libc::ENOMEM;
    }
    // SAFETY: the caller gives a place for the pointer.
    unsafe { *out = pointer };
    0
}

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn free(pointer: *mut c_void) {
    if !pointer.is_null() {
        count(&RELEASES);
    }
    // SAFETY: the pointer came from one of the above.
    unsafe { __libc_free(pointer) }
}

/// The next definition of a function after this binary's own; its name ends in zero.
fn next(name: &str, version: Option<&CStr>, known: &AtomicPtr<c_void>) -> *mut c_void {
    let found = known.load(Ordering::Acquire);
    if !found.is_null() {
        return found;
    }
    let name = name.as_ptr().cast();
    let found = match version {
        // SAFETY: both texts end in zero.
        Some(version) => unsafe { libc::dlvsym(libc::RTLD_NEXT, name, version.as_ptr()) },
        // SAFETY: `name` ends in zero.
        None => unsafe { libc::dlsym(libc::RTLD_NEXT, name) },
    };
    known.store(found, Ordering::Release);
    found
}

/// Takes the place of a function of the C library that takes a lock or waits for
/// somebody, and counts its calls. The version is that of the C library's own
/// structures; without one the newest is asked for.
macro_rules! counted_waits {
    ($($name:ident($($argument:ident: $kind:ty),*) $version:expr;)*) => {
        $(
            /// # Safety
            /// As the C library's.
            #[unsafe(no_mangle)]
            unsafe extern "C" fn $name($($argument: *mut $kind),*) -> c_int {
                static NEXT: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());
                type Wait = unsafe extern "C" fn($(*mut $kind),*) -> c_int;
                const NAME: &str = concat!(stringify!($name), "\0");
                count(&LOCKS);
                let found = next(NAME, $version, &NEXT);
                // SAFETY: the C library's function of this name has this type.
                let wait = unsafe { std::mem::transmute::<*mut c_void, Wait>(found) };
                // SAFETY: the caller's contract is passed on.
                unsafe { wait($($argument),*) }
            }
        )*
    };
}

/// Of condition variables there are two kinds, of which the older one is for old
/// programs.
const CONDITIONS: Option<&CStr> = Some(c"GLIBC_2.3.2");

counted_waits! {
    pthread_mutex_lock(mutex: libc::pthread_mutex_t) None;
    pthread_rwlock_rdlock(lock: libc::pthread_rwlock_t) None;
    pthread_rwlock_wrlock(lock: libc::pthread_rwlock_t) None;
    sem_wait(semaphore: libc::sem_t) None;
    sem_timedwait(semaphore: libc::sem_t, until: libc::timespec) None;
    pthread_cond_wait(condition: libc::pthread_cond_t, mutex: libc::pthread_mutex_t) CONDITIONS;
    pthread_cond_timedwait(
        condition: libc::pthread_cond_t,
        mutex: libc::pthread_mutex_t,
        until: libc::timespec
    ) CONDITIONS;
}

/// Rust's locks wait by this call; a lock that is free makes none and costs
/// nothing. On this machine's calling convention a variadic function's integers
/// come like any other's.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn syscall(
    number: c_long,
    a: c_long,
    b: c_long,
    c: c_long,
    d: c_long,
    e: c_long,
    f: c_long,
) -> c_long {
    static NEXT: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());
    type Call = unsafe extern "C" fn(c_long, ...) -> c_long;
    if number == libc::SYS_futex {
        count(&LOCKS);
    }
    let found = next("syscall\0", None, &NEXT);
    // SAFETY: the C library's function of this name has this type.
    let call = unsafe { std::mem::transmute::<*mut c_void, Call>(found) };
    // SAFETY: the caller's contract is passed on.
    unsafe { call(number, a, b, c, d, e, f) }
}

/// Allocations, releases and waits for locks so far.
fn counted() -> [u64; 3] {
    [&ALLOCATIONS, &RELEASES, &LOCKS].map(|counter| counter.load(Ordering::SeqCst))
}

/// One test at a time: the counters are everybody's.
static TURN: Mutex<()> = Mutex::new(());

/// A test that failed does not make the others fail.
fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn session(robot: &str, more: &str, clock: ClockMode, drive: Drive) -> Session {
    let text = format!(
        "[robot]\nplugin = '{robot}'\n[policy]\nbundle = 'none'\n[safety]\nstate_deadline_ms = 1000\n[control]\nmissed_ticks = 1000\n{more}"
    );
    let deployment = Deployment::parse(&text, Path::new("test.toml")).unwrap();
    let built = &workspace().built;
    let options = SessionOptions {
        clock,
        plugin_folders: vec![built.clone(), built.join("examples")],
        policy: PolicyUse::None,
        drive,
        plugins: PluginOptions {
            host: Some(workspace().vola()),
            shipped: Shipped {
                folders: vec![built.clone(), built.join("examples")],
                lock: None,
            },
            ..PluginOptions::default()
        },
        ..SessionOptions::default()
    };
    Session::open(&deployment, options).unwrap_or_else(|error| panic!("{error}"))
}

/// Runs virtual ticks of a moving arm, counting within ticks only; the ticks
/// counted, and what happened in them.
fn count_ticks(robot: &str, more: &str, ticks: u64) -> (u64, [u64; 3]) {
    let mut session = session(robot, more, ClockMode::Virtual, Drive::Robot);
    let done = Arc::new(AtomicU64::new(0));
    let is_warm = Arc::new(AtomicBool::new(false));
    let wrapper = {
        let (done, is_warm) = (Arc::clone(&done), Arc::clone(&is_warm));
        move |tick: &mut dyn FnMut()| {
            let watch = is_warm.load(Ordering::Relaxed);
            IS_WATCHED.with(|watched| watched.set(watch));
            tick();
            IS_WATCHED.with(|watched| watched.set(false));
            done.fetch_add(u64::from(watch), Ordering::Relaxed);
        }
    };
    session.wrap_ticks(Box::new(wrapper)).unwrap();
    session.sweep(WARM_UP_S).unwrap();
    is_warm.store(true, Ordering::Relaxed);
    let before = counted();
    session.sweep(ticks as f64 * 1e-3).unwrap();
    let after = counted();
    let happened = [0, 1, 2].map(|index| after[index] - before[index]);
    (done.load(Ordering::Relaxed), happened)
}

/// More ticks where the environment asks for them.
fn wanted(usual: u64) -> u64 {
    let asked = std::env::var("VOLA_CONTROL_PATH_TICKS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[test]
fn ticks_allocate_nothing_and_wait_for_nobody() {
    let _turn = turn();
    for (robot, more, ticks) in [
        ("tabletop/franka", "", TABLETOP_TICKS),
        ("mock/arm", "", MOCK_TICKS),
        ("mock/arm", IN_ITS_OWN, ISOLATED_TICKS),
    ] {
        let ticks = wanted(ticks);
        let (counted, happened) = count_ticks(robot, more, ticks);
        assert!(counted >= ticks, "{counted}");
        let place = if more.is_empty() { "" } else { "-isolated" };
        println!(
            "{robot}{place}: {counted} ticks: {happened:?} allocations, releases, waits for locks"
        );
        assert_eq!(happened, [0; 3], "{robot}{place}");
    }
}

#[test]
fn one_allocation_in_a_plugin_s_command_is_caught() {
    let _turn = turn();
    let (ticks, [allocations, releases, _]) = count_ticks("wrong/allocates_in_command", "", 500);
    assert!(ticks >= 500);
    assert_eq!((allocations, releases), (ticks, ticks));
}

#[test]
fn a_plugin_that_waits_for_a_lock_of_its_other_thread_is_caught() {
    let _turn = turn();
    // On a busy machine the thread that holds the lock may sleep through them all.
    let give_up = Instant::now() + Duration::from_secs(60);
    loop {
        let (ticks, [allocations, _, waits]) = count_ticks("wrong/waits_in_command", "", 200);
        assert!(ticks >= 200);
        assert_eq!(allocations, 0);
        if waits > 0 {
            break;
        }
        assert!(Instant::now() < give_up, "no wait was seen");
    }
}

#[test]
fn locks_of_the_c_library_are_seen() {
    let _turn = turn();
    let before = counted()[2];
    IS_WATCHED.with(|watched| watched.set(true));
    let mut lock: libc::pthread_rwlock_t = libc::PTHREAD_RWLOCK_INITIALIZER;
    // SAFETY: the lock was made just before, and this thread alone knows it.
    let answers = unsafe {
        [
            libc::pthread_rwlock_rdlock(&raw mut lock),
            libc::pthread_rwlock_unlock(&raw mut lock),
            libc::pthread_rwlock_wrlock(&raw mut lock),
            libc::pthread_rwlock_unlock(&raw mut lock),
        ]
    };
    IS_WATCHED.with(|watched| watched.set(false));
    assert_eq!(answers, [0; 4]);
    assert_eq!(counted()[2] - before, 2);
}

#[test]
fn a_lock_that_somebody_holds_is_caught() {
    let _turn = turn();
    let lock = Arc::new(Mutex::new(0));
    let held = lock.lock().unwrap();
    // Before there is a thread that could wait already.
    let before = counted();
    let hand = {
        let lock = Arc::clone(&lock);
        let body = move || {
            IS_WATCHED.with(|watched| watched.set(true));
            *lock.lock().unwrap() += 1;
            IS_WATCHED.with(|watched| watched.set(false));
        };
        std::thread::Builder::new()
            .name("waits".to_owned())
            .spawn(body)
            .unwrap()
    };
    // It waits for us until it is seen to wait.
    while counted()[2] == before[2] {
        std::thread::yield_now();
    }
    drop(held);
    hand.join().unwrap();
}

#[test]
fn the_control_thread_itself_is_as_clean() {
    let _turn = turn();
    // Without a robot: whether a simulated world gets its time is another matter.
    let mut session = session("tabletop/franka", "", ClockMode::Real, Drive::Nothing);
    session.sweep(WARM_UP_S).unwrap();
    let before = counted();
    IS_ARMED.store(true, Ordering::SeqCst);
    session.sweep(2.0).unwrap();
    // A stop, its log line and the reset belong to what must not allocate.
    session.stop_switch().demand(StopLevel::ControlledStop);
    let give_up = Instant::now() + Duration::from_secs(5);
    while session.sweep(0.0).is_ok() {
        assert!(Instant::now() < give_up, "the stop was not obeyed");
    }
    session.stop_switch().release();
    session.reset_stop().unwrap();
    session.sweep(0.5).unwrap();
    IS_ARMED.store(false, Ordering::SeqCst);
    let after = counted();
    let ticks = session.control_report().ticks;
    println!("control thread: {ticks} ticks in all");
    assert!(ticks > 100);
    assert_eq!(before, after, "allocations, releases, waits for locks");
}

/// Sets a flag when it goes, even by a panic: the busy threads must end.
struct EndOf<'a>(&'a AtomicBool);

impl Drop for EndOf<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn three_replays_under_load_send_the_same_commands() {
    let _turn = turn();
    let run = |robot: &str| {
        let mut session = session(robot, "", ClockMode::Virtual, Drive::Robot);
        session.sweep(2.0).unwrap();
        session.command_digest().unwrap().read()
    };
    for robot in ["tabletop/franka", "mock/arm"] {
        let first = run(robot);
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let busy = || {
                while !is_over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            };
            let thread = std::thread::Builder::new().name("busy".to_owned());
            thread.spawn_scoped(scope, busy).unwrap();
            let _end = EndOf(&is_over);
            let again = [run(robot), run(robot)];
            assert_eq!(again, [first.clone(), first]);
        });
    }
}
