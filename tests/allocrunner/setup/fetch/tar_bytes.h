// Archives byte for byte, also such as no program would make.
#pragma once

#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

namespace gaggle::setup {

struct TarEntry {
    std::string name;
    char type = '0';  ///< 0 file, 1 hard link, 2 symbolic link, 3 device, 5 folder, 6 pipe
    std::string data;
    std::string target;
    unsigned mode = 0644;
};

inline std::string tar_bytes(const std::vector<TarEntry>& entries) {
    std::string out;
    for (const TarEntry& one : entries) {
        char head[512] = {};
        std::snprintf(head, 100, "%s", one.name.c_str());
        std::snprintf(head + 100, 8, "%07o", one.mode);
        std::snprintf(head + 108, 8, "%07o", 0U);
        std::snprintf(head + 116, 8, "%07o", 0U);
        std::snprintf(head + 124, 12, "%011zo", one.data.size());
        std::snprintf(head + 136, 12, "%011o", 0U);
        std::memset(head + 148, ' ', 8);
        head[156] = one.type;
        std::snprintf(head + 157, 100, "%s", one.target.c_str());
        std::memcpy(head + 257, "ustar\00000", 8);
        unsigned sum = 0;
        for (const char c : head) sum += static_cast<unsigned char>(c);
        std::snprintf(head + 148, 8, "%06o", sum);
        out.append(head, sizeof head);
        out += one.data;
        out.append((512 - one.data.size() % 512) % 512, '\0');
    }
    return out + std::string(1024, '\0');
}

}  // namespace gaggle::setup
