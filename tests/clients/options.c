// SPDX-License-Identifier: MIT
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"

#define DEFAULT_FRAMES 60
#define DEFAULT_BUFFERS 3
#define DEFAULT_MANY_BUFFERS 200
#define DEFAULT_OVERLAY_BUFFERS 5
#define MAX_FRAMES 10000000
#define MAX_BUFFERS 4096
#define MAX_SIDE_PIXELS 2048 /* mode_config.max_width and max_height of the MDP4 */
#define MAX_BUFFER_BYTES (1u << 30)

static const char *const mode_names[] = {
	[MODE_DUMB] = "dumb",	  [MODE_FOREIGN] = "foreign", [MODE_REIMPORT] = "reimport",
	[MODE_CHURN] = "churn",	  [MODE_MANY] = "many",	      [MODE_MULTI] = "multi",
	[MODE_CURSOR] = "cursor",
};

static const char *const api_names[] = { [API_ATOMIC] = "atomic", [API_LEGACY] = "legacy" };

static const char *const exporter_names[] = {
	[EXPORTER_DUMB] = "dumb",	[EXPORTER_MSM] = "msm",	  [EXPORTER_UDMABUF] = "udmabuf",
	[EXPORTER_SCATTER] = "scatter", [EXPORTER_HEAP] = "heap",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *mode_name(enum flip_mode mode)
{
	return mode_names[mode];
}

const char *api_name(enum flip_api api)
{
	return api_names[api];
}

const char *exporter_name(enum exporter exporter)
{
	return exporter_names[exporter];
}

/* As it looks on the terminal. */
/* clang-format off */
static const char help_text[] =
"usage: scanout-flip MODE [options]\n"
"\n"
"Flips pages the way real programs do, checks what the panel shows, and prints one JSON\n"
"object on stdout. The mode set shows the first buffer and is not counted as a flip.\n"
"\n"
"Modes\n"
"  dumb      a ring of buffers whose GEM handles stay open (a toolkit, Weston)\n"
"  foreign   a ring of foreign dma-bufs, each imported once, its handle closed after AddFB2\n"
"            (wlroots, KWin, kmssink); the dma-buf stays open, as a decoder keeps it\n"
"  reimport  a ring of foreign dma-bufs, imported again for every frame; framebuffer and\n"
"            handle are dropped when the frame left the screen (mpv)\n"
"  churn     a new buffer for every frame, destroyed when it left the screen\n"
"  many      many foreign buffers, shown once each, all kept until the end\n"
"  multi     two planes with pools and rates of their own: a primary and an opaque overlay\n"
"  cursor    a ring as in dumb, and a legacy cursor that moves and changes its image;\n"
"            WARNING: a legacy cursor on MDP4 locks an unfixed kernel up hard (it takes a\n"
"            mutex in the vblank interrupt): never run it against upstream's driver\n"
"\n"
"What is shown\n"
"  --api atomic|legacy       default atomic\n"
"  --device PATH             default /dev/dri/card0\n"
"  --frames N                page flips, default 60 (many: every buffer once)\n"
"  --buffers N               in the ring, default 3 (many: 200, so give --buffer-bytes 2M where\n"
"                            there is less than 1 GiB to spare)\n"
"  --buffer-bytes BYTES      size of each buffer (K, M, G); default what the picture needs;\n"
"                            less than that shows fewer rows and needs --api atomic\n"
"  --size WxH                of the plane, default the panel (multi: of the overlay, 640x360)\n"
"  --format FOURCC           default XR24\n"
"  --exporter NAME           dumb, msm (GEM_NEW), udmabuf, scatter (udmabuf of scattered pages)\n"
"                            or heap; default dumb for the modes dumb and cursor, else udmabuf\n"
"  --sequence I,I,...        buffer indices in order of appearance, the first by the mode set;\n"
"                            repeated when --frames asks for more; dumb, foreign, reimport\n"
"  --seed N                  of the pictures, default 1\n"
"  --pace-hz RATE            at most so many flips a second; default the display's own rate\n"
"  --overlay-format FOURCC   multi: default the first the plane has of NV12, YUYV, XR24\n"
"  --overlay-buffers N       multi: default 5\n"
"  --primary-every N         multi: a new primary buffer every N flips, default 1\n"
"  --overlay-every N         multi: a new overlay buffer every N flips, default 2\n"
"\n"
"What happens to buffers\n"
"  --keep-handles            leave the GEM handles open, as Weston does: foreign, many\n"
"  --close-fds               also close the dma-bufs after AddFB2: foreign, many\n"
"  --madvise-dontneed-idle   MADV_DONTNEED on buffers off screen, MADV_WILLNEED before they\n"
"                            return, a new buffer if the kernel took the pages: dumb\n"
"  --dpms-cycle              half way, switch the display off and on again\n"
"  --disable-at-end          switch the CRTC off before anything is freed\n"
"  --hold-open SECONDS       keep the last frame on screen that long before leaving\n"
"\n"
"What is checked and told\n"
"  --verify                  compare the display model's frame CRC after every flip\n"
"  --frame-crc PATH          default /sys/kernel/debug/mdp4_model/frame_crc\n"
"  --watch PATH              read a number from PATH after every flip, report first, min,\n"
"                            max, last; may be repeated\n"
"  --marker                  write \"scanout-flip lap\" to trace_marker when every buffer of the\n"
"                            ring was shown once, \"scanout-flip end\" after the last flip\n"
"  --on-lap COMMAND          run by /bin/sh after the first lap, while the frame is shown\n"
"  --on-frame N:COMMAND      run by /bin/sh after flip N; may be repeated\n"
"  --help                    this text\n"
"\n"
"Exit status: 0 all well, 1 an error (one line on stderr), 2 a CRC mismatch, 3 a flip whose\n"
"event did not come within 3 seconds.\n";
/* clang-format on */

enum option_id {
	OPT_API = 256,
	OPT_BUFFERS,
	OPT_BUFFER_BYTES,
	OPT_CLOSE_FDS,
	OPT_DEVICE,
	OPT_DISABLE_AT_END,
	OPT_DPMS_CYCLE,
	OPT_EXPORTER,
	OPT_FORMAT,
	OPT_FRAMES,
	OPT_FRAME_CRC,
	OPT_HELP,
	OPT_HOLD_OPEN,
	OPT_KEEP_HANDLES,
	OPT_MADVISE_IDLE,
	OPT_MARKER,
	OPT_ON_FRAME,
	OPT_ON_LAP,
	OPT_OVERLAY_BUFFERS,
	OPT_OVERLAY_EVERY,
	OPT_OVERLAY_FORMAT,
	OPT_PACE_HZ,
	OPT_PRIMARY_EVERY,
	OPT_SEED,
	OPT_SEQUENCE,
	OPT_SIZE,
	OPT_VERIFY,
	OPT_WATCH,
};

static const struct option long_options[] = {
	{ "api", required_argument, NULL, OPT_API },
	{ "buffers", required_argument, NULL, OPT_BUFFERS },
	{ "buffer-bytes", required_argument, NULL, OPT_BUFFER_BYTES },
	{ "close-fds", no_argument, NULL, OPT_CLOSE_FDS },
	{ "device", required_argument, NULL, OPT_DEVICE },
	{ "disable-at-end", no_argument, NULL, OPT_DISABLE_AT_END },
	{ "dpms-cycle", no_argument, NULL, OPT_DPMS_CYCLE },
	{ "exporter", required_argument, NULL, OPT_EXPORTER },
	{ "format", required_argument, NULL, OPT_FORMAT },
	{ "frames", required_argument, NULL, OPT_FRAMES },
	{ "frame-crc", required_argument, NULL, OPT_FRAME_CRC },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "hold-open", required_argument, NULL, OPT_HOLD_OPEN },
	{ "keep-handles", no_argument, NULL, OPT_KEEP_HANDLES },
	{ "madvise-dontneed-idle", no_argument, NULL, OPT_MADVISE_IDLE },
	{ "marker", no_argument, NULL, OPT_MARKER },
	{ "on-frame", required_argument, NULL, OPT_ON_FRAME },
	{ "on-lap", required_argument, NULL, OPT_ON_LAP },
	{ "overlay-buffers", required_argument, NULL, OPT_OVERLAY_BUFFERS },
	{ "overlay-every", required_argument, NULL, OPT_OVERLAY_EVERY },
	{ "overlay-format", required_argument, NULL, OPT_OVERLAY_FORMAT },
	{ "pace-hz", required_argument, NULL, OPT_PACE_HZ },
	{ "primary-every", required_argument, NULL, OPT_PRIMARY_EVERY },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "sequence", required_argument, NULL, OPT_SEQUENCE },
	{ "size", required_argument, NULL, OPT_SIZE },
	{ "verify", no_argument, NULL, OPT_VERIFY },
	{ "watch", required_argument, NULL, OPT_WATCH },
	{ NULL, 0, NULL, 0 },
};

/* Where values are being read from, for the messages, and what the command line left open. */
struct parser {
	struct options *options;
	FILE *error;
	const char *option;
	bool frames_given, exporter_given;
};

__attribute__((format(printf, 2, 3))) static int fail(const struct parser *parser,
						      const char *format, ...)
{
	va_list args;

	fputs("scanout-flip: ", parser->error);
	va_start(args, format);
	vfprintf(parser->error, format, args);
	va_end(args);
	fputs("; see --help\n", parser->error);
	return -1;
}

static int bad_value(const struct parser *parser, const char *value, const char *accepted)
{
	return fail(parser, "--%s '%s': expected %s", parser->option, value, accepted);
}

/* Digits only: strtoull() alone would take signs, blanks and overflow quietly. */
static int parse_digits(const char *text, unsigned long long *value, const char **end)
{
	char *stop;

	if (!isdigit((unsigned char)text[0]))
		return -1;
	errno = 0;
	*value = strtoull(text, &stop, 10);
	if (errno)
		return -1;
	*end = stop;
	return 0;
}

static int parse_count(const struct parser *parser, const char *text, unsigned int least,
		       unsigned int most, unsigned int *count)
{
	unsigned long long value;
	const char *end;
	char accepted[64];

	if (parse_digits(text, &value, &end) || *end || value < least || value > most) {
		snprintf(accepted, sizeof(accepted), "a number from %u to %u", least, most);
		return bad_value(parser, text, accepted);
	}
	*count = (unsigned int)value;
	return 0;
}

static int parse_bytes(const struct parser *parser, const char *text, size_t *bytes)
{
	static const char accepted[] = "a size from 4096 to 1G, with K, M or G if you like";
	unsigned long long value;
	unsigned int shift = 0;
	const char *end;

	if (parse_digits(text, &value, &end))
		return bad_value(parser, text, accepted);
	switch (*end) {
	case 'K':
		shift = 10;
		break;
	case 'M':
		shift = 20;
		break;
	case 'G':
		shift = 30;
		break;
	}
	if (shift)
		end++;
	if (*end || value > MAX_BUFFER_BYTES >> shift || value << shift < 4096)
		return bad_value(parser, text, accepted);
	*bytes = (size_t)(value << shift);
	return 0;
}

static int parse_positive(const struct parser *parser, const char *text, double most, double *value)
{
	char *end;
	char accepted[64];

	errno = 0;
	*value = strtod(text, &end);
	/* written so that "nan" is refused too */
	if (errno || end == text || *end || !(*value > 0 && *value <= most)) {
		snprintf(accepted, sizeof(accepted), "a number above 0, at most %g", most);
		return bad_value(parser, text, accepted);
	}
	return 0;
}

static int parse_size(const struct parser *parser, const char *text)
{
	unsigned long long width, height;
	const char *end;

	if (parse_digits(text, &width, &end) || *end != 'x' ||
	    parse_digits(end + 1, &height, &end) || *end || width < 16 || height < 16 ||
	    width > MAX_SIDE_PIXELS || height > MAX_SIDE_PIXELS || width % 2 || height % 2)
		return bad_value(parser, text, "WxH, both even, from 16 to 2048");
	parser->options->width = (uint32_t)width;
	parser->options->height = (uint32_t)height;
	return 0;
}

static int parse_format(const struct parser *parser, const char *text, uint32_t *fourcc)
{
	const struct pixel_format *format = format_from_name(text);

	if (!format)
		return bad_value(parser, text, format_names());
	*fourcc = format->fourcc;
	return 0;
}

static int parse_name(const struct parser *parser, const char *text, const char *const names[],
		      size_t count, const char *accepted)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(text, names[i]))
			return (int)i;
	return bad_value(parser, text, accepted);
}

static int parse_sequence(const struct parser *parser, const char *text)
{
	struct options *options = parser->options;
	size_t length = 1;
	const char *at = text;

	for (const char *p = text; *p; p++)
		length += *p == ',';
	free(options->sequence);
	options->sequence_length = 0;
	options->sequence = calloc(length, sizeof(*options->sequence));
	if (!options->sequence)
		return fail(parser, "--sequence: no memory for %zu entries", length);
	for (size_t i = 0; i < length; i++) {
		unsigned long long value;

		if (parse_digits(at, &value, &at) || *at != (i + 1 < length ? ',' : '\0') ||
		    value >= MAX_BUFFERS)
			return bad_value(parser, text,
					 "buffer indices from 0 with commas, as in 0,1,2,0");
		options->sequence[options->sequence_length++] = (unsigned int)value;
		at++;
	}
	return 0;
}

static int parse_hook(const struct parser *parser, const char *text)
{
	static const char accepted[] = "N:COMMAND, N the number of a flip (0 is the mode set)";
	struct options *options = parser->options;
	unsigned long long frame;
	const char *end;

	if (parse_digits(text, &frame, &end) || *end != ':' || !end[1] || frame > MAX_FRAMES)
		return bad_value(parser, text, accepted);
	if (options->hooks == OPTIONS_MAX_HOOKS)
		return fail(parser, "--on-frame: more than %d of them", OPTIONS_MAX_HOOKS);
	options->on_frame[options->hooks++] =
		(struct frame_hook){ .frame = (unsigned int)frame, .command = end + 1 };
	return 0;
}

static int parse_watch(const struct parser *parser, const char *text)
{
	struct options *options = parser->options;

	if (options->watch_count == OPTIONS_MAX_WATCHES)
		return fail(parser, "--watch: more than %d of them", OPTIONS_MAX_WATCHES);
	options->watches[options->watch_count++] = text;
	return 0;
}

static int parse_option(struct parser *parser, enum option_id id, const char *value)
{
	struct options *options = parser->options;
	int index;

	switch (id) {
	case OPT_API:
		index = parse_name(parser, value, api_names, COUNT(api_names), "atomic or legacy");
		options->api = index < 0 ? API_ATOMIC : (enum flip_api)index;
		return index;
	case OPT_EXPORTER:
		index = parse_name(parser, value, exporter_names, COUNT(exporter_names),
				   "dumb, msm, udmabuf, scatter or heap");
		options->exporter = index < 0 ? EXPORTER_DUMB : (enum exporter)index;
		parser->exporter_given = true;
		return index;
	case OPT_BUFFERS:
		return parse_count(parser, value, 1, MAX_BUFFERS, &options->buffers);
	case OPT_BUFFER_BYTES:
		return parse_bytes(parser, value, &options->buffer_bytes);
	case OPT_DEVICE:
		options->device = value;
		return 0;
	case OPT_FORMAT:
		return parse_format(parser, value, &options->format);
	case OPT_FRAMES:
		parser->frames_given = true;
		return parse_count(parser, value, 1, MAX_FRAMES, &options->frames);
	case OPT_FRAME_CRC:
		options->frame_crc_path = value;
		return 0;
	case OPT_HOLD_OPEN:
		return parse_positive(parser, value, 86400, &options->hold_open_s);
	case OPT_ON_FRAME:
		return parse_hook(parser, value);
	case OPT_ON_LAP:
		options->on_lap = value;
		return 0;
	case OPT_OVERLAY_BUFFERS:
		return parse_count(parser, value, 1, MAX_BUFFERS, &options->overlay_buffers);
	case OPT_OVERLAY_EVERY:
		return parse_count(parser, value, 1, MAX_FRAMES, &options->overlay_every);
	case OPT_OVERLAY_FORMAT:
		return parse_format(parser, value, &options->overlay_format);
	case OPT_PACE_HZ:
		return parse_positive(parser, value, 1000, &options->pace_hz);
	case OPT_PRIMARY_EVERY:
		return parse_count(parser, value, 1, MAX_FRAMES, &options->primary_every);
	case OPT_SEED:
		return parse_count(parser, value, 0, UINT32_MAX, &options->seed);
	case OPT_SEQUENCE:
		return parse_sequence(parser, value);
	case OPT_SIZE:
		return parse_size(parser, value);
	case OPT_WATCH:
		return parse_watch(parser, value);
	case OPT_CLOSE_FDS:
		options->close_fds = true;
		return 0;
	case OPT_DISABLE_AT_END:
		options->disable_at_end = true;
		return 0;
	case OPT_DPMS_CYCLE:
		options->dpms_cycle = true;
		return 0;
	case OPT_KEEP_HANDLES:
		options->keep_handles = true;
		return 0;
	case OPT_MADVISE_IDLE:
		options->madvise_idle = true;
		return 0;
	case OPT_MARKER:
		options->marker = true;
		return 0;
	case OPT_VERIFY:
		options->verify = true;
		return 0;
	case OPT_HELP:
		return 0;
	}
	return -1;
}

static bool exporter_is_native(enum exporter exporter)
{
	return exporter == EXPORTER_DUMB || exporter == EXPORTER_MSM;
}

static void fill_defaults(const struct parser *parser)
{
	struct options *options = parser->options;
	enum flip_mode mode = options->mode;

	if (!parser->exporter_given)
		options->exporter = mode == MODE_DUMB || mode == MODE_CURSOR ? EXPORTER_DUMB :
									       EXPORTER_UDMABUF;
	if (!options->buffers) {
		options->buffers = mode == MODE_MANY ? DEFAULT_MANY_BUFFERS : DEFAULT_BUFFERS;
		/* a script names its buffers; do not ask for their number again */
		for (unsigned int i = 0; i < options->sequence_length; i++)
			if (options->sequence[i] >= options->buffers)
				options->buffers = options->sequence[i] + 1;
	}
	if (!parser->frames_given) {
		options->frames = DEFAULT_FRAMES;
		if (mode == MODE_MANY)
			options->frames = options->buffers > 1 ? options->buffers - 1 : 1;
		else if (options->sequence_length > 1)
			options->frames = options->sequence_length - 1;
	}
}

/* What cannot be meant, said before a buffer is allocated. */
static int check_combination(const struct parser *parser)
{
	const struct options *options = parser->options;
	enum flip_mode mode = options->mode;
	const char *name = mode_name(mode);

	if (options->sequence && mode != MODE_DUMB && mode != MODE_FOREIGN && mode != MODE_REIMPORT)
		return fail(parser, "--sequence with %s: only dumb, foreign and reimport take it",
			    name);
	for (unsigned int i = 0; i < options->sequence_length; i++)
		if (options->sequence[i] >= options->buffers)
			return fail(parser,
				    "--sequence names buffer %u, --buffers %u allows 0 to %u",
				    options->sequence[i], options->buffers, options->buffers - 1);
	if (mode == MODE_REIMPORT && exporter_is_native(options->exporter))
		return fail(parser,
			    "--exporter %s with reimport: expected udmabuf, scatter or heap",
			    exporter_name(options->exporter));
	if (options->keep_handles && mode != MODE_FOREIGN && mode != MODE_MANY)
		return fail(parser, "--keep-handles with %s: only foreign and many take it", name);
	if (options->keep_handles && options->close_fds)
		return fail(parser, "--keep-handles and --close-fds: expected one of them");
	if (options->close_fds && mode != MODE_FOREIGN && mode != MODE_MANY)
		return fail(parser, "--close-fds with %s: only foreign and many take it", name);
	if (options->madvise_idle && (mode != MODE_DUMB || !exporter_is_native(options->exporter)))
		return fail(parser,
			    "--madvise-dontneed-idle: expected mode dumb, --exporter dumb or msm");
	if (mode == MODE_MANY && options->frames + 1 > options->buffers)
		return fail(parser,
			    "--frames %u with many: %u buffers, each shown once, make %u flips",
			    options->frames, options->buffers, options->buffers - 1);
	if (mode != MODE_MULTI && (options->overlay_format || options->overlay_buffers ||
				   options->overlay_every || options->primary_every))
		return fail(parser,
			    "--overlay-* and --primary-every with %s: only multi takes them", name);
	if (mode != MODE_MULTI && options->width && options->api == API_LEGACY)
		return fail(parser,
			    "--size with %s --api legacy: a legacy framebuffer fills the panel, "
			    "expected --api atomic",
			    name);
	for (unsigned int i = 0; i < options->hooks; i++)
		if (options->on_frame[i].frame > options->frames)
			return fail(parser, "--on-frame %u: only %u flips, it would never run",
				    options->on_frame[i].frame, options->frames);
	return 0;
}

enum options_result options_parse(int argc, char *argv[], struct options *options, FILE *out,
				  FILE *error)
{
	struct parser parser = { .options = options, .error = error };
	int mode = -1, id, index = 0;

	*options = (struct options){
		.device = "/dev/dri/card0",
		.frame_crc_path = "/sys/kernel/debug/mdp4_model/frame_crc",
		.seed = 1,
	};
	options->format = format_from_name("XR24")->fourcc;

	optind = 0; /* glibc: also forget an earlier parse */
	opterr = 0;
	while ((id = getopt_long(argc, argv, ":", long_options, &index)) != -1) {
		if (id == '?') {
			fail(&parser,
			     "'%s': unknown or ambiguous option, or one that takes no value",
			     argv[optind - 1]);
			return OPTIONS_BAD;
		}
		if (id == ':') {
			fail(&parser, "%s: a value is missing", argv[optind - 1]);
			return OPTIONS_BAD;
		}
		if (id == OPT_HELP) {
			fputs(help_text, out);
			return OPTIONS_HELP;
		}
		parser.option = long_options[index].name;
		if (parse_option(&parser, (enum option_id)id, optarg) < 0)
			return OPTIONS_BAD;
	}

	for (size_t i = 0; optind < argc && i < COUNT(mode_names); i++)
		if (!strcmp(argv[optind], mode_names[i]))
			mode = (int)i;
	if (mode < 0 || optind + 1 != argc) {
		fail(&parser,
		     "'%s': expected one mode: dumb, foreign, reimport, churn, many, multi "
		     "or cursor",
		     optind >= argc ? "" : argv[mode < 0 ? optind : optind + 1]);
		return OPTIONS_BAD;
	}
	options->mode = (enum flip_mode)mode;
	fill_defaults(&parser);
	if (check_combination(&parser) < 0)
		return OPTIONS_BAD;
	if (options->mode == MODE_MULTI) {
		if (!options->overlay_buffers)
			options->overlay_buffers = DEFAULT_OVERLAY_BUFFERS;
		if (!options->overlay_every)
			options->overlay_every = 2;
		if (!options->primary_every)
			options->primary_every = 1;
		if (!options->width) {
			options->width = 640;
			options->height = 360;
		}
	}
	return OPTIONS_RUN;
}

void options_free(struct options *options)
{
	free(options->sequence);
	options->sequence = NULL;
}
