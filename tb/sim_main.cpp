// Runs the Verilator model for cocotb: time steps at the callbacks that cocotb asked for, waves on request.
//
// The bench opens and closes wave files from Python through the two exported C functions, so that one
// process can write one file a test, or only a window of time.

#include <execinfo.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <memory>

#include "Vtop.h"
#include "verilated.h"
#include "verilated_vpi.h"
#if VM_TRACE
#include "verilated_fst_c.h"
#endif
#if VM_COVERAGE
#include "verilated_cov.h"
#endif

extern "C" void vlog_startup_routines_bootstrap(void);

namespace {

constexpr uint64_t kNever = ~UINT64_C(0);
Vtop* top;  // never deleted: a fatal error of the design exits in the middle of its evaluation
uint64_t now = 0;
#if VM_TRACE
std::unique_ptr<VerilatedFstC> wave;
uint64_t wave_origin = 0, wave_first = 0, wave_last = kNever;
#endif

// A design that loops without letting time pass: after so many seconds of CPU time in evaluations of one
// time step the process ends with a status of its own.
constexpr int kStuckSeconds = 5;
constexpr int kStuckStatus = 76;
volatile sig_atomic_t evaluating = 0, seconds_in_step = 0;

void watch(int) {
    if (!evaluating || ++seconds_in_step < kStuckSeconds) return;
    char text[96];
    const int length = std::snprintf(text, sizeof text, "%%Error: simulated time stands still at %llu ps\n",
                                     static_cast<unsigned long long>(now));
    if (write(STDERR_FILENO, text, static_cast<size_t>(length)) < 0) _exit(kStuckStatus);
    void* frames[16];
    backtrace_symbols_fd(frames, backtrace(frames, 16), STDERR_FILENO);
    _exit(kStuckStatus);
}

void start_watch() {
    void* frame;
    backtrace(&frame, 1);  // loads what the handler may not load
    struct sigaction action = {};
    action.sa_handler = watch;
    action.sa_flags = SA_RESTART;
    sigaction(SIGVTALRM, &action, nullptr);
    const struct itimerval each_second = {{1, 0}, {1, 0}};
    setitimer(ITIMER_VIRTUAL, &each_second, nullptr);
}

void step() {
    evaluating = 1;
    top->eval_step();
    evaluating = 0;
}

void settle() {
    while (VerilatedVpi::callValueCbs()) {
    }
}

void evaluate() {
    do {
        do {
            step();
            VerilatedVpi::clearEvalNeeded();
            VerilatedVpi::doInertialPuts();
            settle();
        } while (VerilatedVpi::evalNeeded());
        VerilatedVpi::callCbs(cbReadWriteSynch);
        VerilatedVpi::doInertialPuts();
        settle();
    } while (VerilatedVpi::evalNeeded());
    top->eval_end_step();
    VerilatedVpi::callCbs(cbReadOnlySynch);
}

uint64_t next_time() {
    const uint64_t asked = VerilatedVpi::cbNextDeadline();
    const uint64_t design = top->eventsPending() ? top->nextTimeSlot() : kNever;
    return asked < design ? asked : design;
}

}  // namespace

double sc_time_stamp() { return static_cast<double>(now); }

extern "C" {

/// Start a wave file whose time 0 is `origin` and which holds what is from `first` to `last` (all in
/// time steps, in this order); 0 on success, -1 without wave support.
__attribute__((visibility("default"))) int vio_wave_open(const char* path, uint64_t origin, uint64_t first,
                                                         uint64_t last) {
#if VM_TRACE
    // A writer of its own for every file: Verilator's cannot be opened twice where enums are traced.
    wave = std::make_unique<VerilatedFstC>();
    top->trace(wave.get(), 99);
    wave->open(path);
    wave_origin = origin;
    wave_first = first;
    wave_last = last;
    return wave->isOpen() ? 0 : -1;
#else
    (void)path;
    (void)origin;
    (void)first;
    (void)last;
    return -1;
#endif
}

/// Write what was covered since the start of this process to `path`, by way of `part`.
__attribute__((visibility("default"))) void vio_coverage_write(const char* part, const char* path) {
#if VM_COVERAGE
    Verilated::threadContextp()->coveragep()->write(part);
    std::rename(part, path);
#else
    (void)part;
    (void)path;
#endif
}

/// Finish the wave file, if one is open.
__attribute__((visibility("default"))) void vio_wave_close(void) {
#if VM_TRACE
    if (wave && wave->isOpen()) wave->close();
#endif
}
}

int main(int argc, char** argv) {
    Verilated::commandArgs(argc, argv);
    Verilated::fatalOnVpiError(false);
    top = new Vtop("");
#if VM_TRACE
    Verilated::traceEverOn(true);
#endif
    start_watch();
    vlog_startup_routines_bootstrap();
    VerilatedVpi::callCbs(cbStartOfSimulation);
    settle();
    while (!Verilated::gotFinish()) {
        evaluate();
#if VM_TRACE
        if (wave && wave->isOpen() && now >= wave_first && now <= wave_last) wave->dump(now - wave_origin);
#endif
        const uint64_t next = next_time();
        if (next == kNever) break;
        now = next;
        seconds_in_step = 0;
        VerilatedVpi::callCbs(cbNextSimTime);
        settle();
        VerilatedVpi::callTimedCbs();
        settle();
    }
    top->final();
    VerilatedVpi::callCbs(cbEndOfSimulation);
    vio_wave_close();
    const bool failed = Verilated::threadContextp()->errorCount() > 0;
    std::fflush(nullptr);
    // Python's interpreter lives in this process: destructors at exit would race with its shutdown.
    std::_Exit(failed ? 1 : 0);
}
