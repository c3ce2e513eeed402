// An agent takes over what an older gctl-shim supervises. The old one is played by a thread that
// speaks version 1 of the protocol, byte for byte, for a process of its own.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include "allocrunner/alloc.h"
#include "allocrunner/alloc_dir.h"
#include "allocrunner/drivers/shim_protocol.h"
#include "allocrunner/task_links.h"
#include "base/unique_fd.h"
#include "base/wire.h"
#include "tests/allocrunner/fake_world.h"
#include "tests/allocrunner/real_peer.h"

namespace gaggle::allocrunner {

namespace {

const AllocId kOne = alloc_id(1);

struct Frame {
    std::uint32_t length = 0;
    std::uint8_t kind = 0;
};

class OldShim {
  public:
    explicit OldShim(const std::string& alloc_dir) {
        std::string program = "sleep", argument = "1000";
        char* argv[] = {program.data(), argument.data(), nullptr};
        REQUIRE(posix_spawnp(&pid_, "sleep", nullptr, nullptr, argv, environ) == 0);
        record_.run = 7;
        record_.pid = pid_;
        record_.started = wall_clock().nanoseconds;
        record_.checksum = shim::checksum_of(record_);
        const UniqueFd file(open((alloc_dir + "/exit/main").c_str(), O_WRONLY | O_CREAT, 0600));
        REQUIRE(write(file.get(), &record_, sizeof record_) == sizeof record_);

        const UniqueFd folder(open((alloc_dir + "/shim").c_str(), O_PATH | O_DIRECTORY));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        const std::string path = "/proc/self/fd/" + std::to_string(folder.get()) + "/main";
        std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
        listening_.reset(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        REQUIRE(bind(listening_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        REQUIRE(listen(listening_.get(), 8) == 0);
        thread_ = std::thread([this] { serve(); });
    }
    ~OldShim() {
        kill(pid_, SIGKILL);
        shutdown(listening_.get(), SHUT_RDWR);
        thread_.join();
    }

    std::int64_t pid() const { return pid_; }

  private:
    void serve() {
        const UniqueFd agent(accept(listening_.get(), nullptr, nullptr));
        Frame frame;
        char payload[16];
        while (agent && recv(agent.get(), &frame, 5, MSG_WAITALL) == 5 && frame.length <= 16) {
            const std::size_t size = frame.length - 1;
            if (size > 0 && recv(agent.get(), payload, size, MSG_WAITALL) < 0) return;
            const auto kind = static_cast<shim::Kind>(frame.kind);
            if (kind == shim::Kind::hello) tell(agent.get());
            if (kind != shim::Kind::signal && kind != shim::Kind::kill) continue;
            kill(pid_, SIGTERM);
            int status = 0;
            waitpid(pid_, &status, 0);
            record_.state = shim::RecordState::exited;
            record_.signal = WTERMSIG(status);
            record_.finished = wall_clock().nanoseconds;
            record_.checksum = shim::checksum_of(record_);
            return tell(agent.get());
        }
    }

    void tell(int agent) {
        char out[5 + sizeof record_];
        const std::uint32_t length = 1 + sizeof record_;
        std::memcpy(out, &length, sizeof length);
        out[4] = static_cast<char>(shim::Kind::state);
        std::memcpy(out + 5, &record_, sizeof record_);
        if (send(agent, out, sizeof out, MSG_NOSIGNAL) < 0) return;
    }

    shim::RecordV1 record_;
    pid_t pid_ = 0;
    UniqueFd listening_;
    std::thread thread_;
};

}  // namespace

TEST_CASE("a task under a shim of version 1 is taken over, and stopped through it") {
    const ScratchDir scratch;
    const Order order = shell(1, "sleep 1000");
    REQUIRE(make_alloc_dir(scratch.path(), order).ok());
    const OldShim old(scratch.path() + "/" + to_string(kOne));
    RealPeer peer(scratch.path());
    peer.orders({order});
    REQUIRE(peer.until([&] { return peer.status(kOne).client == ClientStatus::running; }));
    CHECK(peer.pid(kOne) == old.pid());
    CHECK(peer.status(kOne).tasks.at("main").restarts == 0);
    peer.orders({});
    REQUIRE(peer.until([&] { return peer.status(kOne).client == ClientStatus::complete; }));
    const auto& events = peer.status(kOne).tasks.at("main").events;
    CHECK(events[events.size() - 2].message == "Exit Code: 143, Signal: 15");
}

}  // namespace gaggle::allocrunner
