/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elf_file.h"

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* Go's build information: an aligned magic number in the data. */
#define BUILDINFO_ALIGN	 16
#define BUILDINFO_STEP	 4096
#define BUILDINFO_WITHIN (1024 * 1024)

#define NAME_SIZE 32 /* longer than any name that we look for */

#define NEEDED_MOST 4096 /* the most entries of a dynamic section that are read */

struct reader {
	int fd;
	bool is_64;
	struct elf_file *file;
	Elf64_Phdr dynamic; /* p_filesz is 0 if there is none */
	Elf64_Phdr data;    /* the last writable segment */
};

/* ---- both sizes of ELF have the same fields, of different widths ---- */

static bool read_at(const struct reader *reader, uint64_t offset, void *bytes, size_t size)
{
	return pread(reader->fd, bytes, size, (off_t)offset) == (ssize_t)size;
}

/*
 * Defines NAME(reader, at, wide), which reads the STRUCT at a place of the file; from a 32-bit file
 * it copies only the fields that are used.
 */
#define COPY(FIELD) .FIELD = narrow.FIELD
#define DEFINE_READ(NAME, STRUCT, ...)                                                             \
	static bool NAME(const struct reader *reader, uint64_t at, Elf64_##STRUCT *wide)           \
	{                                                                                          \
		Elf32_##STRUCT narrow;                                                             \
                                                                                                   \
		if (reader->is_64)                                                                 \
			return read_at(reader, at, wide, sizeof *wide);                            \
		if (!read_at(reader, at, &narrow, sizeof narrow))                                  \
			return false;                                                              \
		*wide = (Elf64_##STRUCT){__VA_ARGS__};                                             \
		return true;                                                                       \
	}

DEFINE_READ(read_header, Ehdr, COPY(e_machine), COPY(e_phoff), COPY(e_phentsize), COPY(e_phnum),
	COPY(e_shoff), COPY(e_shentsize), COPY(e_shnum), COPY(e_shstrndx))
DEFINE_READ(read_segment_at, Phdr, COPY(p_type), COPY(p_flags), COPY(p_offset), COPY(p_vaddr),
	COPY(p_filesz))
DEFINE_READ(read_section_at, Shdr, COPY(sh_name), COPY(sh_type), COPY(sh_offset), COPY(sh_size),
	COPY(sh_link))
DEFINE_READ(read_dynamic, Dyn, COPY(d_tag), COPY(d_un.d_val))
DEFINE_READ(read_symbol, Sym, COPY(st_name), COPY(st_shndx))

#define SIZE_OF(READER, STRUCT) ((READER)->is_64 ? sizeof(Elf64_##STRUCT) : sizeof(Elf32_##STRUCT))

static bool read_segment(const struct reader *reader, unsigned number, Elf64_Phdr *segment)
{
	const Elf64_Ehdr *header = &reader->file->header;

	return read_segment_at(
		reader, header->e_phoff + (uint64_t)number * header->e_phentsize, segment);
}

static bool read_section(const struct reader *reader, unsigned number, Elf64_Shdr *section)
{
	const Elf64_Ehdr *header = &reader->file->header;

	return read_section_at(
		reader, header->e_shoff + (uint64_t)number * header->e_shentsize, section);
}

/* A name, cut off if it is longer than all names that we look for. */
static void read_name(const struct reader *reader, uint64_t offset, char name[static NAME_SIZE])
{
	ssize_t got = pread(reader->fd, name, NAME_SIZE - 1, (off_t)offset);

	name[got > 0 ? got : 0] = '\0';
}

static bool starts(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* ---- segments ---- */

static void look_at_interpreter(struct reader *reader, const Elf64_Phdr *segment)
{
	char path[PATH_MAX] = "";

	reader->file->has_interpreter = true;
	if (segment->p_filesz >= sizeof path)
		return;
	ssize_t got = pread(reader->fd, path, (size_t)segment->p_filesz, (off_t)segment->p_offset);
	reader->file->is_musl = got > 0 && strstr(path, "ld-musl") != NULL;
}

/* Go marks its programs with its own note (its build id). */
static void look_at_note(struct reader *reader, const Elf64_Phdr *segment)
{
	struct {
		Elf64_Nhdr header;
		char name[4];
	} note;

	if (segment->p_filesz >= sizeof note &&
		read_at(reader, segment->p_offset, &note, sizeof note))
		reader->file->is_go |=
			note.header.n_namesz == 4 && memcmp(note.name, "Go\0", 4) == 0;
}

/* A part of the program with information from its Go compiler (debug/buildinfo in Go). */
static void look_for_buildinfo(struct reader *reader, const Elf64_Phdr *segment)
{
	static const char magic[] = "\xff Go buildinf:";
	char bytes[BUILDINFO_STEP];
	/* it is aligned in memory, so in the file too */
	uint64_t offset = segment->p_offset - segment->p_offset % BUILDINFO_ALIGN;

	for (uint64_t at = 0;
		!reader->file->is_go && at < segment->p_filesz && at < BUILDINFO_WITHIN;
		at += sizeof bytes) {
		ssize_t got = pread(reader->fd, bytes, sizeof bytes, (off_t)(offset + at));
		for (ssize_t i = 0; i + BUILDINFO_ALIGN <= got; i += BUILDINFO_ALIGN)
			reader->file->is_go |= memcmp(bytes + i, magic, sizeof magic - 1) == 0;
	}
}

static void look_at_segments(struct reader *reader)
{
	Elf64_Phdr segment;

	for (unsigned i = 0; i < reader->file->header.e_phnum; i++) {
		if (!read_segment(reader, i, &segment))
			return;
		if (segment.p_type == PT_INTERP)
			look_at_interpreter(reader, &segment);
		else if (segment.p_type == PT_NOTE)
			look_at_note(reader, &segment);
		else if (segment.p_type == PT_DYNAMIC)
			reader->dynamic = segment;
		else if (segment.p_type == PT_LOAD && (segment.p_flags & PF_W)) {
			look_for_buildinfo(reader, &segment);
			reader->data = segment;
		}
	}
}

/* ---- the libraries that it needs ---- */

static void look_at_needed(struct reader *reader, const char *name)
{
	reader->file->needs_seccomp |= starts(name, "libseccomp.so");
	/* GCC's, and clang's */
	reader->file->needs_asan |= starts(name, "libasan.so") || starts(name, "libclang_rt.asan");
}

/* Where in the file an address is; 0 if it is not in the file. */
static uint64_t offset_of(const struct reader *reader, uint64_t address)
{
	Elf64_Phdr segment;

	for (unsigned i = 0; i < reader->file->header.e_phnum; i++) {
		if (read_segment(reader, i, &segment) && segment.p_type == PT_LOAD &&
			address >= segment.p_vaddr && address - segment.p_vaddr < segment.p_filesz)
			return address - segment.p_vaddr + segment.p_offset;
	}
	return 0;
}

static void look_at_dynamic(struct reader *reader)
{
	size_t size = SIZE_OF(reader, Dyn);
	uint64_t count = reader->dynamic.p_filesz / size, names = 0;
	char name[NAME_SIZE];
	Elf64_Dyn entry;

	if (count > NEEDED_MOST)
		count = NEEDED_MOST;
	for (uint64_t i = 0; i < count; i++) {
		if (read_dynamic(reader, reader->dynamic.p_offset + i * size, &entry) &&
			entry.d_tag == DT_STRTAB)
			names = offset_of(reader, entry.d_un.d_val);
	}
	for (uint64_t i = 0; names && i < count; i++) {
		if (!read_dynamic(reader, reader->dynamic.p_offset + i * size, &entry) ||
			entry.d_tag != DT_NEEDED)
			continue;
		read_name(reader, names + entry.d_un.d_val, name);
		look_at_needed(reader, name);
	}
}

/* ---- sections, which strip(1) leaves in place ---- */

static bool is_call(const char *name)
{
	static const char *const calls[] = {"socket", "bind", "listen", "connect"};

	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		if (strcmp(name, calls[i]) == 0)
			return true;
	}
	return false;
}

static bool defines_a_call(const struct reader *reader, const Elf64_Shdr *symbols)
{
	size_t size = SIZE_OF(reader, Sym);
	char name[NAME_SIZE];
	Elf64_Shdr names;
	Elf64_Sym symbol;

	if (!read_section(reader, symbols->sh_link, &names))
		return false;
	for (uint64_t at = 0; at + size <= symbols->sh_size; at += size) {
		if (!read_symbol(reader, symbols->sh_offset + at, &symbol))
			return false;
		if (symbol.st_shndx == SHN_UNDEF)
			continue;
		read_name(reader, names.sh_offset + symbol.st_name, name);
		if (is_call(name))
			return true;
	}
	return false;
}

static void look_at_sections(struct reader *reader)
{
	Elf64_Shdr section, names;
	char name[NAME_SIZE];

	if (!read_section(reader, reader->file->header.e_shstrndx, &names))
		return;
	for (unsigned i = 1; i < reader->file->header.e_shnum; i++) {
		if (!read_section(reader, i, &section))
			return;
		read_name(reader, names.sh_offset + section.sh_name, name);
		reader->file->is_pascal |= starts(name, ".fpcdata");
	}
}

/*
 * Free Pascal's compiler puts its name at the end of the data, "FPC 3.2.2 [DATE] for x86_64 -
 * Linux". A file without sections has no other trace of it.
 */
static void look_for_compiler(struct reader *reader)
{
	const Elf64_Phdr *data = &reader->data;
	char bytes[256];
	size_t size = data->p_filesz < sizeof bytes ? (size_t)data->p_filesz : sizeof bytes;

	if (!read_at(reader, data->p_offset + data->p_filesz - size, bytes, size))
		return;
	const char *name = memmem(bytes, size, "FPC ", 4);
	if (name)
		reader->file->is_pascal |=
			memmem(name, size - (size_t)(name - bytes), "] for ", 6) != NULL;
}

/* ---- all of it ---- */

/* Starts a reader; returns false if it is not an ELF file. */
static bool open_reader(struct reader *reader, int fd, struct elf_file *file)
{
	unsigned char identity[EI_NIDENT];

	*reader = (struct reader){.fd = fd, .file = file};
	*file = (struct elf_file){.has_interpreter = false};
	if (!read_at(reader, 0, identity, sizeof identity) ||
		memcmp(identity, ELFMAG, SELFMAG) != 0)
		return false;
	reader->is_64 = identity[EI_CLASS] == ELFCLASS64;
	if (!read_header(reader, 0, &file->header))
		return false;
	memcpy(file->header.e_ident, identity, sizeof identity);
	return true;
}

bool elf_file_read(int fd, struct elf_file *file)
{
	struct reader reader;

	if (!open_reader(&reader, fd, file))
		return false;
	look_at_segments(&reader);
	look_at_dynamic(&reader);
	if (file->header.e_shnum > 0)
		look_at_sections(&reader);
	else
		look_for_compiler(&reader);
	return true;
}

bool elf_file_has_calls(int fd)
{
	struct elf_file file;
	struct reader reader;
	Elf64_Shdr section;

	if (!open_reader(&reader, fd, &file))
		return false;
	for (unsigned i = 1; i < file.header.e_shnum; i++) {
		if (read_section(&reader, i, &section) && section.sh_type == SHT_DYNSYM)
			return defines_a_call(&reader, &section);
	}
	return false;
}
