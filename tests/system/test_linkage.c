/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What libreuse.so shows to the dynamic linker, read from the file itself (elf(5)). */
#include "harness.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *file; /* all of it */

static void read_library(void)
{
	struct stat status;
	int fd = open(library_path(), O_RDONLY | O_CLOEXEC);

	cr_assert(fd >= 0 && fstat(fd, &status) == 0);
	file = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	cr_assert(file != MAP_FAILED && memcmp(file, ELFMAG, SELFMAG) == 0);
	close(fd);
}

TestSuite(linkage, .init = read_library);

static const ElfW(Ehdr) * header(void)
{
	return (const void *)file;
}

static const ElfW(Phdr) * find_segment(ElfW(Word) type)
{
	const ElfW(Phdr) *segments = (const void *)(file + header()->e_phoff);

	for (int i = 0; i < header()->e_phnum; i++) {
		if (segments[i].p_type == type)
			return &segments[i];
	}
	return NULL;
}

static const ElfW(Shdr) * find_section(ElfW(Word) type)
{
	const ElfW(Shdr) *sections = (const void *)(file + header()->e_shoff);

	for (int i = 0; i < header()->e_shnum; i++) {
		if (sections[i].sh_type == type)
			return &sections[i];
	}
	cr_assert_fail("no section of type %#x", (unsigned)type);
	return NULL;
}

/* The names of the symbols and libraries that the dynamic linker sees. */
static const char *name_at(size_t offset)
{
	const ElfW(Shdr) *symbols = find_section(SHT_DYNSYM);
	const ElfW(Shdr) *sections = (const void *)(file + header()->e_shoff);

	return file + sections[symbols->sh_link].sh_offset + offset;
}

/* The entry number NUMBER, from 0, of that tag; NULL when there are fewer. */
static const ElfW(Dyn) * find_entry(ElfW(Sxword) tag, int number)
{
	const ElfW(Phdr) *segment = find_segment(PT_DYNAMIC);

	cr_assert_not_null(segment);
	for (const ElfW(Dyn) *entry = (const void *)(file + segment->p_offset);
		entry->d_tag != DT_NULL; entry++) {
		if (entry->d_tag == tag && number-- == 0)
			return entry;
	}
	return NULL;
}

static ElfW(Xword) flags(ElfW(Sxword) tag)
{
	const ElfW(Dyn) *entry = find_entry(tag, 0);

	return entry ? entry->d_un.d_val : 0;
}

Test(linkage, it_exports_socket_bind_listen_connect_and_nothing_else)
{
	static const char *const expected[] = {"socket", "bind", "listen", "connect"};
	const ElfW(Shdr) *section = find_section(SHT_DYNSYM);
	const ElfW(Sym) *symbols = (const void *)(file + section->sh_offset);
	size_t exported = 0;

	for (size_t i = 1; i < section->sh_size / sizeof *symbols; i++) {
		const char *name = name_at(symbols[i].st_name);
		bool is_expected = false;
		if (symbols[i].st_shndx == SHN_UNDEF)
			continue;
		for (size_t j = 0; j < 4; j++)
			is_expected |= strcmp(name, expected[j]) == 0;
		cr_expect(is_expected, "%s is exported", name);
		cr_expect(ELF64_ST_TYPE(symbols[i].st_info) == STT_FUNC, "%s", name);
		exported++;
	}
	cr_expect_eq(exported, 4);
}

Test(linkage, it_needs_libc_and_libdl_only)
{
	const ElfW(Dyn) * entry;

	cr_expect_not_null(find_entry(DT_NEEDED, 0));
	for (int i = 0; (entry = find_entry(DT_NEEDED, i)); i++) {
		const char *name = name_at(entry->d_un.d_val);
		cr_expect(strncmp(name, "libc.", 5) == 0 || strncmp(name, "libdl.", 6) == 0 ||
				  strncmp(name, "ld-", 3) == 0,
			"%s is needed", name);
	}
}

/* "GLIBC_2.17": 217 */
static long release_of(const char *version)
{
	const char *dot = strchr(version, '.');

	return dot ? strtol(version + 6, NULL, 10) * 100 + strtol(dot + 1, NULL, 10) : LONG_MAX;
}

static void expect_old(const ElfW(Verneed) * needed)
{
	const ElfW(Vernaux) *version = (const void *)((const char *)needed + needed->vn_aux);

	for (int i = 0; i < needed->vn_cnt; i++) {
		const char *name = name_at(version->vna_name);
		cr_expect(strncmp(name, "GLIBC_", 6) == 0, "%s is needed", name);
		cr_expect_leq(release_of(name), 217, "%s is needed", name);
		version = (const void *)((const char *)version + version->vna_next);
	}
}

Test(linkage, it_needs_no_symbol_version_after_GLIBC_2_17_on_x86_64)
{
	if (header()->e_machine != EM_X86_64 || header()->e_ident[EI_CLASS] != ELFCLASS64)
		skip("other machines' libraries have other first versions");
	const ElfW(Shdr) *section = find_section(SHT_GNU_verneed);
	const ElfW(Verneed) *needed = (const void *)(file + section->sh_offset);

	for (unsigned i = 0; i < section->sh_info; i++) {
		expect_old(needed);
		needed = (const void *)((const char *)needed + needed->vn_next);
	}
}

/* Packed relative relocations need a glibc of 2022, and no version says so. */
Test(linkage, it_has_no_relocations_that_old_linkers_do_not_know)
{
	const ElfW(Shdr) *sections = (const void *)(file + header()->e_shoff);

	for (int i = 0; i < header()->e_shnum; i++)
		cr_expect_neq(sections[i].sh_type, 19 /* SHT_RELR */);
	cr_expect_not_null(find_section(SHT_GNU_HASH));
}

Test(linkage, it_has_no_text_relocations)
{
	cr_expect_null(find_entry(DT_TEXTREL, 0));
	cr_expect_not(flags(DT_FLAGS) & DF_TEXTREL);
}

Test(linkage, its_stack_is_not_executable)
{
	const ElfW(Phdr) *stack = find_segment(PT_GNU_STACK);

	cr_assert_not_null(stack);
	cr_expect_not(stack->p_flags & PF_X);
}

Test(linkage, no_memory_of_it_is_both_writable_and_executable)
{
	const ElfW(Phdr) *segments = (const void *)(file + header()->e_phoff);

	for (int i = 0; i < header()->e_phnum; i++)
		cr_expect_neq(segments[i].p_flags & (PF_W | PF_X), PF_W | PF_X);
}

Test(linkage, all_its_symbols_are_bound_at_the_start)
{
	cr_expect(flags(DT_FLAGS) & DF_BIND_NOW || flags(DT_FLAGS_1) & DF_1_NOW);
	cr_expect_not_null(find_segment(PT_GNU_RELRO));
}

Test(linkage, it_stays_in_memory_after_dlclose)
{
	cr_expect(flags(DT_FLAGS_1) & DF_1_NODELETE);
}

/* Meson 0.56 gives a module the name of its file; later ones give it none. */
Test(linkage, it_has_no_soname_but_the_name_of_its_file)
{
	const ElfW(Dyn) *entry = find_entry(DT_SONAME, 0);

	cr_expect(!entry || strcmp(name_at(entry->d_un.d_val), "libreuse.so") == 0);
}

Test(linkage, it_has_no_search_path_for_libraries)
{
	cr_expect_null(find_entry(DT_RPATH, 0));
	cr_expect_null(find_entry(DT_RUNPATH, 0));
}

/* What needs no start-up files has none of their symbols to look up. */
Test(linkage, it_looks_up_no_symbol_of_the_start_up_files)
{
	const ElfW(Shdr) *section = find_section(SHT_DYNSYM);
	const ElfW(Sym) *symbols = (const void *)(file + section->sh_offset);

	for (size_t i = 1; i < section->sh_size / sizeof *symbols; i++) {
		const char *name = name_at(symbols[i].st_name);
		cr_expect(strcmp(name, "__gmon_start__") != 0 &&
				  strcmp(name, "__cxa_finalize") != 0 &&
				  strncmp(name, "_ITM_", 5) != 0,
			"%s", name);
	}
}

/* All of these would be unsafe in a signal handler, or in the child of a threaded program. */
Test(linkage, it_calls_nothing_of_libc_that_allocates_locks_or_is_a_cancellation_point)
{
	static const char *const unsafe[] = {"malloc", "calloc", "realloc", "free", "printf",
		"fprintf", "snprintf", "vsnprintf", "dprintf", "fopen", "fclose", "fgets",
		"getline", "opendir", "readdir", "getpwuid", "getpwuid_r", "getaddrinfo", "syslog",
		"setlocale", "strerror", "pthread_mutex_lock", "pthread_once", "open", "open64",
		"openat", "openat64", "close", "read", "write", "poll", "send", "sendto", "sendmsg",
		"recv", "recvfrom", "recvmsg", "atexit", "exit", "getenv", "setenv", "unsetenv",
		"qsort"};
	const ElfW(Shdr) *section = find_section(SHT_DYNSYM);
	const ElfW(Sym) *symbols = (const void *)(file + section->sh_offset);

	for (size_t i = 1; i < section->sh_size / sizeof *symbols; i++) {
		for (size_t j = 0; j < sizeof unsafe / sizeof *unsafe; j++)
			cr_expect_str_neq(name_at(symbols[i].st_name), unsafe[j]);
	}
}
