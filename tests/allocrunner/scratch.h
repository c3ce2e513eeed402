// A directory that goes away with the test, and waiting for something real with a deadline.
#pragma once

#include <poll.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>

namespace gaggle::allocrunner {

class ScratchDir {
  public:
    ScratchDir() {
        char name[] = "/tmp/gaggle-test-XXXXXX";
        path_ = mkdtemp(name);
    }
    ~ScratchDir() {
        unmount_below();
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    ScratchDir(const ScratchDir&) = delete;
    ScratchDir& operator=(const ScratchDir&) = delete;
    const std::string& path() const { return path_; }

  private:
    /// The secrets of tasks, as a killed agent leaves them.
    void unmount_below() const {
        std::ifstream mounts("/proc/self/mounts");
        for (std::string line; std::getline(mounts, line);) {
            const std::size_t from = line.find(' ') + 1;
            const std::string place = line.substr(from, line.find(' ', from) - from);
            if (place.starts_with(path_ + "/")) umount2(place.c_str(), MNT_DETACH);
        }
    }

    std::string path_;
};

/// The program beside this test program, as the build left it.
inline std::string built_program(const std::string& name) {
    return std::filesystem::read_symlink("/proc/self/exe").parent_path() / name;
}

/// True as soon as `holds` does; false after 20 s.
inline bool eventually(const std::function<bool()>& holds) {
    for (int round = 0; round < 4'000; ++round) {
        if (holds()) return true;
        poll(nullptr, 0, 5);
    }
    return false;
}

inline std::string text_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();  // quietly less, as of a process in /proc that ends meanwhile
    return text.str();
}

inline bool is_alive(std::int64_t pid) {
    // A zombie that its parent has not yet waited for is dead for our purposes.
    const std::string stat = text_of("/proc/" + std::to_string(pid) + "/stat");
    const std::size_t after_name = stat.rfind(')');
    return after_name != std::string::npos && stat.compare(after_name, 4, ") Z ") != 0;
}

}  // namespace gaggle::allocrunner
