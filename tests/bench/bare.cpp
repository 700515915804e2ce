// The bare harness: what a C++ programmer writes who wants this RTL simulated as fast as it goes.
//
// No cocotb, no VPI, no DPI, no checks on the bus, no events, no stress: pins are set and read directly,
// guest memory and medium are plain arrays, every burst is answered after a fixed latency, and an
// interrupt is a function call. The requests are made by the same C code as on the native path, which
// checks every byte; the device is brought up by the same register accesses, replayed from a script.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <fstream>
#include <memory>
#include <string>
#include <sys/resource.h>
#include <vector>

#include "Vtop.h"
#include "verilated.h"
#include "vio_native.h"

namespace {

constexpr unsigned kLanes = 32;

[[noreturn]] void fail(const char* what) {
    std::fprintf(stderr, "bare: %s\n", what);
    std::exit(1);
}

// Plain memory in one or two pieces.
struct Memory {
    struct Piece {
        uint64_t base, length;
        uint8_t* data;
    };
    std::vector<Piece> pieces;

    uint8_t* at(uint64_t addr) const {
        for (const Piece& piece : pieces)
            if (addr - piece.base < piece.length) return piece.data + (addr - piece.base);
        fail("an access outside memory");
    }
};

// One AXI4 interface of the device, as references to its pins.
struct Pins {
    CData &arid, &arlen, &arsize, &arvalid, &arready, &rid, &rresp, &rlast, &rvalid, &rready;
    CData &awid, &awlen, &awsize, &awvalid, &awready, &wlast, &wvalid, &wready, &bid, &bresp, &bvalid, &bready;
    QData &araddr, &awaddr;
    VlWide<8> &rdata, &wdata;
    IData& wstrb;
};

#define PINS(top, p)                                                                                        \
    {(top).p##arid,    (top).p##arlen,   (top).p##arsize,  (top).p##arvalid, (top).p##arready,              \
     (top).p##rid,     (top).p##rresp,   (top).p##rlast,   (top).p##rvalid,  (top).p##rready,               \
     (top).p##awid,    (top).p##awlen,   (top).p##awsize,  (top).p##awvalid, (top).p##awready,              \
     (top).p##wlast,   (top).p##wvalid,  (top).p##wready,  (top).p##bid,     (top).p##bresp,                \
     (top).p##bvalid,  (top).p##bready,  (top).p##araddr,  (top).p##awaddr,  (top).p##rdata,                \
     (top).p##wdata,   (top).p##wstrb}

// A memory behind one AXI4 interface: every burst is answered `latency` cycles after it came.
class Target {
public:
    Target(Pins pins, Memory& memory, unsigned latency) : p(pins), memory_(memory), latency_(latency) {
        p.arready = p.awready = p.wready = 1;
    }

    // One clock cycle; called behind the rising edge with the handshakes sampled before it.
    void step(uint64_t cycle) {
        if (p.rvalid && r_taken_) next_beat();
        if (p.bvalid && b_taken_) p.bvalid = 0;
        if (!p.rvalid && !reads_.empty() && reads_.front().due <= cycle) show_beat();
        if (!p.bvalid && !acks_.empty() && acks_.front().due <= cycle) {
            p.bid = acks_.front().id;
            p.bvalid = 1;
            acks_.pop_front();
        }
    }

    // Take what is handed over at the rising edge to come; true if it was an interrupt message.
    bool sample(uint64_t cycle) {
        r_taken_ = p.rvalid && p.rready;
        b_taken_ = p.bvalid && p.bready;
        if (p.arvalid) reads_.push_back({p.araddr, p.arlen, p.arid, cycle + latency_});
        if (p.awvalid) writes_.push_back({p.awaddr, p.awlen, p.awid, 0});
        bool message = false;
        if (p.wvalid) {
            words_.push_back({p.wstrb, p.wlast != 0, {}});
            std::memcpy(words_.back().data, p.wdata.m_storage, kLanes);
        }
        while (!writes_.empty() && !words_.empty()) message |= write_word(cycle);
        return message;
    }

private:
    struct Burst {
        uint64_t addr;
        unsigned length;
        CData id;
        uint64_t due;
    };
    struct Word {
        uint32_t strobe;
        bool last;
        uint8_t data[kLanes];
    };

    void show_beat() {
        const Burst& burst = reads_.front();
        const uint64_t word = burst.addr & ~uint64_t{kLanes - 1};
        std::memcpy(p.rdata.m_storage, memory_.at(word), kLanes);
        p.rid = burst.id;
        p.rlast = burst.length == 0;
        p.rvalid = 1;
    }

    void next_beat() {
        Burst& burst = reads_.front();
        p.rvalid = 0;
        if (burst.length == 0) {
            reads_.pop_front();
            return;
        }
        burst.length--;
        burst.addr = (burst.addr & ~uint64_t{kLanes - 1}) + kLanes;
        show_beat();
    }

    bool write_word(uint64_t cycle) {
        Burst& burst = writes_.front();
        const Word& word = words_.front();
        const bool message = burst.addr >> 20 == 0xfee;
        if (!message) {
            uint8_t* to = memory_.at(burst.addr & ~uint64_t{kLanes - 1});
            if (word.strobe == ~0u) {
                std::memcpy(to, word.data, kLanes);
            } else {
                for (uint32_t left = word.strobe; left != 0; left &= left - 1)
                    to[__builtin_ctz(left)] = word.data[__builtin_ctz(left)];
            }
        }
        burst.addr = (burst.addr & ~uint64_t{kLanes - 1}) + kLanes;
        if (word.last) {
            acks_.push_back({0, 0, burst.id, cycle + latency_});
            writes_.pop_front();
        }
        words_.pop_front();
        return message;
    }

    Pins p;
    Memory& memory_;
    unsigned latency_;
    bool r_taken_ = false, b_taken_ = false;
    std::deque<Burst> reads_, writes_, acks_;
    std::deque<Word> words_;
};

struct Access {
    std::string space;
    bool write;
    uint64_t addr, value;
    unsigned length;
};

// What tests/bench/__main__.py wrote down from a run on the native path.
struct Script {
    uint64_t areas[3], slots, notify, total;
    unsigned ring, depth, sectors, batch, latency, packed, event_idx;
    std::vector<Access> accesses;

    explicit Script(const char* path) {
        std::ifstream in(path);
        in >> areas[0] >> areas[1] >> areas[2] >> slots >> notify >> total >> ring >> depth >> sectors >>
            batch >> latency >> packed >> event_idx;
        Access a;
        while (in >> a.space >> a.write >> a.addr >> a.value >> a.length) accesses.push_back(a);
        if (accesses.empty()) fail("the script cannot be read");
    }
};

class Harness {
public:
    Harness(const Script& script, Memory& guest, Memory& medium, uint64_t sectors)
        : script_(script), top_(new Vtop("")), dma_(PINS(*top_, m_dma_axi_), guest, script.latency),
          med_(PINS(*top_, m_med_axi_), medium, script.latency) {
        top_->medium_sectors_i = sectors;
        top_->s_cfg_axil_bready = top_->s_cfg_axil_rready = 1;
        top_->s_bar_axil_bready = top_->s_bar_axil_rready = 1;
        top_->rst_ni = 0;
        for (int i = 0; i < 8; i++) cycle();
        top_->rst_ni = 1;
        cycle();
    }

    void bring_up() {
        for (const Access& a : script_.accesses) {
            if (a.space == "cfg") access(a, top_->s_cfg_axil_awaddr, top_->s_cfg_axil_araddr);
            else access(a, top_->s_bar_axil_awaddr, top_->s_bar_axil_araddr);
        }
    }

    // Ring the doorbell; the write goes out while the clock runs.
    void kick() { kicks_++; }

    bool cycle() {
        const bool message = dma_.sample(cycles_);
        med_.sample(cycles_);
        const bool aw = top_->s_bar_axil_awvalid && top_->s_bar_axil_awready;
        const bool w = top_->s_bar_axil_wvalid && top_->s_bar_axil_wready;
        const bool b = top_->s_bar_axil_bvalid;
        top_->clk_i = 1;
        top_->eval();
        cycles_++;
        dma_.step(cycles_);
        med_.step(cycles_);
        if (aw) top_->s_bar_axil_awvalid = 0;
        if (w) top_->s_bar_axil_wvalid = 0;
        if (b) ringing_ = false;
        if (kicks_ > 0 && !ringing_) ring();
        top_->clk_i = 0;
        top_->eval();
        return message;
    }

    uint64_t cycles() const { return cycles_; }

private:
    void ring() {
        kicks_--;
        ringing_ = true;
        top_->s_bar_axil_awaddr = static_cast<IData>(script_.notify);
        top_->s_bar_axil_wdata = 0;
        top_->s_bar_axil_wstrb = 3;
        top_->s_bar_axil_awvalid = top_->s_bar_axil_wvalid = 1;
    }

    // A register access, waited for; only the bring-up uses it.
    template <class Addr>
    void access(const Access& a, Addr& awaddr, Addr& araddr) {
        const bool cfg = a.space == "cfg";
        const unsigned lane = a.addr & 3;
        CData& awvalid = cfg ? top_->s_cfg_axil_awvalid : top_->s_bar_axil_awvalid;
        CData& wvalid = cfg ? top_->s_cfg_axil_wvalid : top_->s_bar_axil_wvalid;
        CData& arvalid = cfg ? top_->s_cfg_axil_arvalid : top_->s_bar_axil_arvalid;
        CData& awready = cfg ? top_->s_cfg_axil_awready : top_->s_bar_axil_awready;
        CData& wready = cfg ? top_->s_cfg_axil_wready : top_->s_bar_axil_wready;
        CData& arready = cfg ? top_->s_cfg_axil_arready : top_->s_bar_axil_arready;
        CData& done = a.write ? (cfg ? top_->s_cfg_axil_bvalid : top_->s_bar_axil_bvalid)
                              : (cfg ? top_->s_cfg_axil_rvalid : top_->s_bar_axil_rvalid);
        for (unsigned part = 0; part < a.length; part += 4) {
            awaddr = araddr = static_cast<Addr>(a.addr + part);
            (cfg ? top_->s_cfg_axil_wdata : top_->s_bar_axil_wdata) =
                static_cast<IData>(a.value >> 8 * part << 8 * lane);
            const unsigned bytes = a.length - part < 4 ? a.length - part : 4;
            (cfg ? top_->s_cfg_axil_wstrb : top_->s_bar_axil_wstrb) =
                static_cast<CData>(((1u << bytes) - 1) << lane);
            awvalid = wvalid = a.write;
            arvalid = !a.write;
            top_->eval();
            for (bool ended = false; !ended;) {
                const bool aw = awvalid && awready, w = wvalid && wready, ar = arvalid && arready;
                ended = done;
                if (cycles_ > 1000000) fail("the bring-up hangs");
                cycle();
                if (aw) awvalid = 0;
                if (w) wvalid = 0;
                if (ar) arvalid = 0;
                top_->eval();
            }
        }
    }

    const Script& script_;
    std::unique_ptr<Vtop> top_;
    Target dma_, med_;
    uint64_t cycles_ = 0;
    unsigned kicks_ = 0;
    bool ringing_ = false;
};

double seconds(clockid_t clock) {
    timespec t;
    clock_gettime(clock, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

}  // namespace

double sc_time_stamp() { return 0; }

int main(int argc, char** argv) {
    if (argc != 4) fail("usage: bare SCRIPT IMAGE RESULT");
    const Script script(argv[1]);
    std::ifstream file(argv[2], std::ios::binary);
    std::vector<char> image((std::istreambuf_iterator<char>(file)), {});
    constexpr uint64_t kRegion = 64u << 20;
    vio_memory* guest = vio_memory_new();
    Memory memory;
    for (uint64_t base : {uint64_t{0x100000}, uint64_t{0x100000000}})
        memory.pieces.push_back({base, kRegion, vio_memory_add(guest, base, kRegion)});
    vio_memory* content = vio_memory_new();
    uint8_t* bytes = reinterpret_cast<uint8_t*>(image.data());
    vio_memory_map(content, 0, image.size(), bytes);
    Memory medium;
    medium.pieces.push_back({0, image.size(), bytes});
    Harness harness(script, memory, medium, image.size() / 512);
    harness.bring_up();

    const vio_ring_setup areas = {script.areas[0], script.areas[1],     script.areas[2],
                                  script.ring,     script.packed != 0, script.event_idx != 0};
    vio_ring* ring = vio_ring_new(guest, nullptr, &areas);
    vio_traffic_setup setup = {};
    setup.slots = script.slots;
    setup.total = script.total;
    setup.seed = 7;
    setup.depth = script.depth;
    setup.sectors = script.sectors;
    setup.batch = script.batch;
    const vio_kick kick = [](void* context, uint32_t) { static_cast<Harness*>(context)->kick(); };
    vio_traffic* traffic = vio_traffic_new(guest, content, ring, &setup, kick, &harness);
    if (traffic == nullptr) fail("the traffic does not fit");

    const double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    const uint64_t first = harness.cycles();
    uint64_t turns = 0;
    vio_traffic_start(traffic);
    while (vio_traffic_done(traffic) < script.total) {
        if (harness.cycle()) {
            vio_traffic_turn(traffic);
            turns++;
        }
        if (harness.cycles() - first > 2000 * script.total) fail("the traffic hangs");
    }
    const double wall_taken = seconds(CLOCK_MONOTONIC) - wall;
    const double cpu_taken = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    if (vio_traffic_error(traffic) != nullptr) fail(vio_traffic_error(traffic));
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    std::ofstream(argv[3]) << "{\"seconds\": " << wall_taken << ", \"cpu\": " << cpu_taken
                           << ", \"cycles\": " << harness.cycles() - first << ", \"turns\": " << turns
                           << ", \"peak_kib\": " << usage.ru_maxrss << "}\n";
    return 0;
}
