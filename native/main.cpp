// Runs the Verilator model for cocotb on the native path: the clock is driven here, and Python runs only
// when a timer is due, the host's software is woken, or somebody awaits a signal.
//
// While no value-change callback is registered nothing in Python can see single clock edges, and steps
// are taken without a look at the VPI. The order within a time step is that of the portable path: timers,
// edge (callbacks see pins as before it), design, and at the falling edge the host's effects.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>

#include "Vtop.h"
#include "host.h"
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
std::unique_ptr<Vtop> top;
uint64_t now = 0;
#if VM_TRACE
std::unique_ptr<VerilatedFstC> wave;
bool wave_open = false;
uint64_t wave_origin = 0, wave_first = 0, wave_last = kNever;
#endif

void settle() {
    while (VerilatedVpi::callValueCbs()) {
    }
}

// Evaluate until neither the design nor Python has anything to add to this time step.
void evaluate() {
    do {
        do {
            top->eval_step();
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

void dump_wave() {
#if VM_TRACE
    if (wave_open && now >= wave_first && now <= wave_last) wave->dump(now - wave_origin);
#endif
}

// Advances time; knows whether Python could notice.
class Stepper {
public:
    // One time step; false when nothing is left to happen.
    bool step() {
        const uint64_t clock = vio_sim_clock.running ? vio_sim_clock.next : kNever;
        const uint64_t design = top->eventsPending() ? top->nextTimeSlot() : kNever;
        const uint64_t alarm = vio_active && vio_sleeper ? vio_active->alarm : kNever;
        now = std::min({deadline_, clock, design, alarm});
        if (now == kNever) return false;
        if (vio_active) vio_host_time(vio_active, now);
        bool python = fresh_ && VerilatedVpi::callCbs(cbNextSimTime);
        if (deadline_ <= now) {
            VerilatedVpi::callTimedCbs();
            python = true;
        }
        if (alarm <= now) {
            wake();
            python = true;
        }
        if (python) VerilatedVpi::doInertialPuts();
        const bool edge = vio_sim_clock.running && vio_sim_clock.next <= now;
        if (edge) toggle();
        if (python || watched_) {
            settle();
            evaluate();
            python = true;
        } else {
            top->eval();
        }
        if (edge && vio_active && !vio_sim_clock.high) vio_host_fall(vio_active);
        if (vio_active && vio_active->wake && vio_sleeper) {
            wake();
            evaluate();
            python = true;
        }
        fresh_ = python;
        if (python) look();
        dump_wave();
        return true;
    }

    // Learn what Python waits for, and whether it stopped or started the clock.
    void look() {
        if (vio_sim_clock.running && top->VIO_CLOCK != vio_sim_clock.high) {
            top->VIO_CLOCK = vio_sim_clock.high;
            evaluate();
        }
        deadline_ = VerilatedVpi::cbNextDeadline();
        watched_ = VerilatedVpi::hasCbs(cbValueChange);
    }

private:
    void toggle() {
        vio_sim_clock.high = !vio_sim_clock.high;
        vio_sim_clock.next += vio_sim_clock.half;
        top->VIO_CLOCK = vio_sim_clock.high;
        if (vio_sim_clock.high && vio_active) vio_host_rise(vio_active);
    }

    void wake() {
        void (*const sleeper)(void) = vio_sleeper;
        vio_sleeper = nullptr;
        vio_active->wake = false;
        vio_active->alarm = kNever;
        sleeper();
    }

    uint64_t deadline_ = kNever;
    bool watched_ = true;
    bool fresh_ = true;  // Python ran in the last step
};

}  // namespace

double sc_time_stamp() { return static_cast<double>(now); }

extern "C" {

/// Start a wave file whose time 0 is `origin` and which holds what is from `first` to `last` (all in
/// time steps, in this order); 0 on success, -1 without wave support.
__attribute__((visibility("default"))) int vio_wave_open(const char* path, uint64_t origin, uint64_t first,
                                                         uint64_t last) {
#if VM_TRACE
    wave->open(path);
    wave_origin = origin;
    wave_first = first;
    wave_last = last;
    wave_open = wave->isOpen();
    return wave_open ? 0 : -1;
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
    if (wave_open) wave->close();
    wave_open = false;
#endif
}
}

int main(int argc, char** argv) {
    Verilated::commandArgs(argc, argv);
    Verilated::fatalOnVpiError(false);
    top = std::make_unique<Vtop>("");
#if VM_TRACE
    Verilated::traceEverOn(true);
    wave = std::make_unique<VerilatedFstC>();
    top->trace(wave.get(), 99);
#endif
    top->eval();  // the models tell C their widths before Python asks
    vlog_startup_routines_bootstrap();
    VerilatedVpi::callCbs(cbStartOfSimulation);
    settle();
    evaluate();
    dump_wave();
    Stepper stepper;
    stepper.look();
    while (!Verilated::gotFinish() && stepper.step()) {
    }
    top->final();
    VerilatedVpi::callCbs(cbEndOfSimulation);
    vio_wave_close();
    const bool failed = Verilated::threadContextp()->errorCount() > 0;
    std::fflush(nullptr);
    // Python's interpreter lives in this process: destructors at exit would race with its shutdown.
    std::_Exit(failed ? 1 : 0);
}
