// One output stream of a task: from its pipe into numbered files, the oldest removed.
//
// The files lie in a folder that belongs to the task as much as to us, and the shim is root. So the
// folder is opened once and never looked up again, each file in it by its name alone, and what is
// no plain file with one name (a link, a pipe that nobody reads, another name of some file) is
// replaced by one: a task gets its output nowhere else, and nobody to wait.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gaggle::allocrunner::shim {

/// The folder of `prefix`, "<allocation>/alloc/logs/<task>.": no link is followed in its last two
/// parts, which are the task's to change, and are made where it has removed them. -1 with errno.
/// `name` is what is left: "<task>.".
int open_log_folder(const char* prefix, const char*& name);

class Log {
  public:
    /// Files are `<prefix><number>` in `folder`, both of which must outlive this. False with errno
    /// when the first cannot be opened.
    bool open(int folder, const char* prefix, std::uint64_t number, std::uint64_t files_max,
              std::uint64_t file_bytes);
    /// Splits at the end of a line where one is in reach. What cannot be written is counted, and
    /// said in the log once writing works again.
    void write(const char* bytes, std::size_t size);
    std::uint64_t lost() const { return lost_; }

  private:
    bool open_file();
    void roll();
    std::size_t part_for_this_file(const char* bytes, std::size_t size) const;
    bool put(const char* bytes, std::size_t size);
    void count_lost(std::size_t size);
    void say_lost();

    int folder_ = -1;
    const char* prefix_ = nullptr;
    std::uint64_t number_ = 0;
    std::uint64_t files_max_ = 1;
    std::uint64_t file_bytes_ = 1;
    std::uint64_t used_ = 0;  ///< bytes in the present file
    std::uint64_t lost_ = 0;
    std::uint64_t unsaid_ = 0;  ///< lost since the log last said so
    bool line_begun_ = false;   ///< the last byte was not the end of a line
    int fd_ = -1;
};

}  // namespace gaggle::allocrunner::shim
