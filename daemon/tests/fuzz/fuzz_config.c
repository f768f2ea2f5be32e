// SPDX-License-Identifier: MIT
/*
 * Configuration files in all layers, read twice: whatever is in them, each option is within the
 * range that its table promises, and each complaint says which file it is about.
 */
#include "../../config.c"

#include "fuzz.h"

/* By the letter that begins a text. */
static const struct {
	char which;
	const char *name;
} layers[] = {
	{ 'a', "/etc/scanoutd.conf" },
	{ 'b', "/run/scanoutd.conf" },
	{ 'c', "/usr/lib/scanoutd.conf" },
	{ 'd', "/etc/scanoutd.conf.d/50-first.conf" },
	{ 'e', "/usr/lib/scanoutd.conf.d/50-first.conf" },
	{ 'f', "/run/scanoutd.conf.d/60-second.conf" },
};

#define LAYERS (sizeof(layers) / sizeof(layers[0]))

static char root[128];

static void make_root(void)
{
	static const char *const folders[] = {
		"/etc",	    "/etc/scanoutd.conf.d",    "/run", "/run/scanoutd.conf.d", "/usr",
		"/usr/lib", "/usr/lib/scanoutd.conf.d"
	};
	const char *tmp = getenv("TMPDIR");
	char path[256];

	snprintf(root, sizeof(root), "%s/fuzz-config-XXXXXX", tmp ? tmp : "/tmp");
	FUZZ_REQUIRE(mkdtemp(root), "%s", root);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", root, folders[i]);
		FUZZ_REQUIRE(!mkdir(path, 0700), "%s", path);
	}
}

static void write_layer(const struct fuzz_text *text)
{
	char path[256];
	FILE *file;

	for (size_t i = 0; i < LAYERS; i++) {
		if (layers[i].which != text->which)
			continue;
		snprintf(path, sizeof(path), "%s%s", root, layers[i].name);
		file = fopen(path, "we");
		FUZZ_REQUIRE(file, "%s", path);
		FUZZ_REQUIRE(fwrite(text->bytes, 1, text->size, file) == text->size, "%s", path);
		FUZZ_REQUIRE(!fclose(file), "%s", path);
	}
}

static void remove_layers(void)
{
	char path[256];

	for (size_t i = 0; i < LAYERS; i++) {
		snprintf(path, sizeof(path), "%s%s", root, layers[i].name);
		unlink(path);
	}
}

static void complain(void *context, const char *text)
{
	unsigned int *count = context;

	(*count)++;
	FUZZ_REQUIRE(!strncmp(text, root, strlen(root)) || text[0] == '[',
		     "'%s' does not begin with a file or a section", text);
	FUZZ_REQUIRE(strlen(text) > 8 && !strchr(text, '\n'), "'%s'", text);
}

static uint64_t value_of(const struct config *config, const struct option *option)
{
	const char *field = (const char *)config + option->offset;

	switch (option->type) {
	case BOOL:
		return *(const unsigned char *)field;
	case UINT:
	case MS:
		return *(const unsigned int *)(const void *)field;
	default:
		return *(const uint64_t *)(const void *)field;
	}
}

static void read_and_check(struct config *config)
{
	unsigned int complaints = 0;
	int ret = config_read(config, root, complain, &complaints);

	FUZZ_REQUIRE(!ret, "config_read() is %d", ret);
	for (size_t i = 0; i < OPTIONS; i++) {
		uint64_t value = value_of(config, &options[i]);

		FUZZ_REQUIRE(acceptable(&options[i], value), "%s= is %" PRIu64, options[i].name,
			     value);
	}
	FUZZ_REQUIRE(config->tuner.min_bytes <= config->tuner.max_bytes, "bytes");
	FUZZ_REQUIRE(config->pressure_stall_us <= config->pressure_window_us, "pressure");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	struct config config = config_defaults, again;
	struct fuzz_text text;

	if (!root[0])
		make_root();
	while (fuzz_next_text(&input, &text)) {
		/* What follows is written after the first reading: a reload. */
		if (text.which == 'R')
			read_and_check(&config);
		write_layer(&text);
	}
	read_and_check(&config);
	/* Nothing changed since, so nothing changes now. */
	again = config;
	read_and_check(&again);
	for (size_t i = 0; i < OPTIONS; i++)
		FUZZ_REQUIRE(value_of(&config, &options[i]) == value_of(&again, &options[i]),
			     "%s= changes when it is read again", options[i].name);
	remove_layers();
	return 0;
}
