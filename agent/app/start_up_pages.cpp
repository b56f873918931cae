#include "agent/app/start_up_pages.h"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace weir {
namespace {

bool has_text_relocations(const dl_phdr_info& object) {
  for (int index = 0; index < object.dlpi_phnum; ++index) {
    const ElfW(Phdr)& header = object.dlpi_phdr[index];
    if (header.p_type != PT_DYNAMIC) continue;
    for (auto entry = reinterpret_cast<const ElfW(Dyn)*>(object.dlpi_addr + header.p_vaddr); entry->d_tag != DT_NULL; ++entry)
      if (entry->d_tag == DT_TEXTREL || (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_TEXTREL) != 0)) return true;
  }
  return false;
}

int drop_object(dl_phdr_info* object, size_t, void* page_size) {
  // A segment that the loader wrote into holds what no file has.
  if (has_text_relocations(*object)) return 0;
  uintptr_t page = *static_cast<const uintptr_t*>(page_size);
  for (int index = 0; index < object->dlpi_phnum; ++index) {
    const ElfW(Phdr)& header = object->dlpi_phdr[index];
    if (header.p_type != PT_LOAD || (header.p_flags & PF_W) != 0) continue;
    uintptr_t begin = (object->dlpi_addr + header.p_vaddr) & ~(page - 1);
    uintptr_t end = (object->dlpi_addr + header.p_vaddr + header.p_memsz + page - 1) & ~(page - 1);
    // Only advice: failing (the vdso is no file) changes nothing.
    madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);  // NOLINT(performance-no-int-to-ptr)
  }
  return 0;
}

}  // namespace

void drop_start_up_pages() {
  auto page_size = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  dl_iterate_phdr(drop_object, &page_size);
}

}  // namespace weir
