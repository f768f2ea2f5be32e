/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A model of the MDP4 display controller for an emulated board, see README.md.
 *
 * There is one display, so there is one &struct mdp4_model. Its life:
 *
 *   vsync timer (hard interrupt)  latches registers into the shadow, raises the interrupt
 *   walker (kernel thread)        judges every page that the shadow makes the hardware fetch
 *   debugfs readers               compose, from the shadow, the frame that the panel shows
 *
 * The timer owns the shadow. The other two read memory that the driver may unmap as soon as the
 * shadow no longer names it, so they read in short pieces under @lock and stop when @gen moves.
 */
#ifndef __MDP4_MODEL_H__
#define __MDP4_MODEL_H__

#include <linux/crc32.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "mdp4_model_regs.h"

struct dentry;
struct device;
struct iommu_domain;
struct mdp4_judge;
struct mdp4_script;
struct pci_dev;
struct task_struct;

#define MDP4_PIPES		4
#define MDP4_PLANES		3
#define MDP4_BLENDED_STAGES	4
#define MDP4_FAULT_LOG		64
/* The widest and highest source or panel that MDP4 can do is 2048 */
#define MDP4_MAX_SIDE		2048

/* What a fault names as its source; the pipes come first, in register order */
enum mdp4_source {
	MDP4_VG1,
	MDP4_VG2,
	MDP4_RGB1,
	MDP4_RGB2,
	MDP4_CURSOR,
	MDP4_SOURCES,
};

extern const char * const mdp4_source_names[MDP4_SOURCES];

enum mdp4_fault_kind {
	/** @MDP4_FAULT_UNMAPPED: the display's domain does not translate the page */
	MDP4_FAULT_UNMAPPED,
	/** @MDP4_FAULT_NO_DOMAIN: the display scans out with no paging domain attached */
	MDP4_FAULT_NO_DOMAIN,
	/** @MDP4_FAULT_FREED: the page is mapped, but the kernel has freed it */
	MDP4_FAULT_FREED,
	/** @MDP4_FAULT_UNMAPPED_LIVE: the driver unmapped what the running frame is read from */
	MDP4_FAULT_UNMAPPED_LIVE,
	/** @MDP4_FAULT_POISONED: unmapped only because debugfs poison_iova says so */
	MDP4_FAULT_POISONED,
	MDP4_FAULT_KINDS,
};

extern const char * const mdp4_fault_names[MDP4_FAULT_KINDS];

/**
 * struct mdp4_csc - colour conversion of a VG pipe, as latched
 */
struct mdp4_csc {
	/** @mv: matrix, rows R G B, columns Y Cb Cr; 1.0 is 0x200, two's complement in 13 bits */
	u32 mv[9];
	/** @pre_bv: added to Y Cb Cr; two's complement in 9 bits */
	u32 pre_bv[3];
	/** @post_bv: added to R G B; two's complement in 9 bits */
	u32 post_bv[3];
	/** @pre_lv: lowest and highest Y, Cb, Cr */
	u32 pre_lv[6];
	/** @post_lv: lowest and highest R, G, B */
	u32 post_lv[6];
};

/**
 * struct mdp4_pipe - registers of one pipe, as latched
 *
 * Each field is the register of that name.
 */
struct mdp4_pipe {
	u32 src_size;
	u32 src_xy;
	u32 dst_size;
	u32 dst_xy;
	u32 base[4];
	u32 stride_a;
	u32 stride_b;
	u32 format;
	u32 unpack;
	u32 op_mode;
	u32 phasex_step;
	u32 phasey_step;
	struct mdp4_csc csc;
};

/**
 * struct mdp4_ovlp_stage - how one mixer stage blends, as latched
 */
struct mdp4_ovlp_stage {
	u32 op;
	u32 fg_alpha;
	u32 bg_alpha;
	u32 co3;
};

/**
 * struct mdp4_shadow - what the display works from between two vsyncs
 *
 * No padding, so that two shadows can be compared with memcmp().
 */
struct mdp4_shadow {
	/** @on: the panel's timing generator runs */
	u32 on;
	/** @mixer: LAYERMIXER_IN_CFG; 0 while off */
	u32 mixer;
	/** @mixer_size: DMA_P_SRC_SIZE, what the panel takes from the mixer */
	u32 mixer_size;
	/** @panel_width: active pixels of a line; 0 while off */
	u32 panel_width;
	/** @panel_height: active lines; 0 while off */
	u32 panel_height;
	/** @border: LCDC_BORDER_CLR, the panel's colour where there is no mixer output */
	u32 border;
	/** @cursor_pos: DMA_P_CURSOR_POS, the one cursor register that waits for the vsync */
	u32 cursor_pos;
	struct mdp4_ovlp_stage stage[MDP4_BLENDED_STAGES];
	struct mdp4_pipe pipe[MDP4_PIPES];
};

/**
 * struct mdp4_fault - one line of debugfs "faults"
 */
struct mdp4_fault {
	u64 seq;
	u64 iova;
	enum mdp4_source source;
	enum mdp4_fault_kind kind;
};

/**
 * struct mdp4_stats - counters of debugfs "stats", guarded by &mdp4_model.lock
 */
struct mdp4_stats {
	/** @vsyncs: frames begun, with an interrupt if it was enabled */
	u64 vsyncs;
	/** @vsyncs_missed: frames left out because this machine was late; never made up for */
	u64 vsyncs_missed;
	/** @vsyncs_held: vsyncs delayed, for at most 25 ms, so that a frame could be read */
	u64 vsyncs_held;
	/** @vsync_late_max_ns: worst lateness of a vsync against its schedule */
	u64 vsync_late_max_ns;
	/** @vsync_late_sum_ns: sum of it */
	u64 vsync_late_sum_ns;
	/** @interrupts: vsyncs that raised the interrupt line */
	u64 interrupts;
	/** @vsyncs_blank: vsyncs after which no pipe is shown, and so nothing is walked */
	u64 vsyncs_blank;
	/** @latches: vsyncs that found something in OVERLAY_FLUSH */
	u64 latches;
	/** @flips: latches that changed a base address of a pipe that is live after it */
	u64 flips;
	/** @enables: times the panel went from off to on */
	u64 enables;
	/** @disables: and back */
	u64 disables;
	/** @walks_started: walks begun; equals completed + underwalks + the one under way */
	u64 walks_started;
	u64 walks_completed;
	/** @walks_skipped: vsyncs without a walk of their own, the one before still ran */
	u64 walks_skipped;
	/** @underwalks: walks given up because something else was latched */
	u64 underwalks;
	/** @walk_max_ns: longest complete walk */
	u64 walk_max_ns;
	/** @walk_sum_ns: time in complete walks */
	u64 walk_sum_ns;
	/** @scanned_pages: pages looked up by the walks */
	u64 scanned_pages;
	/** @scanout_faults: sum of @faults_by_kind */
	u64 scanout_faults;
	u64 faults_by_kind[MDP4_FAULT_KINDS];
	/** @faults_discarded_late: missing pages that prove nothing, the machine was too slow */
	u64 faults_discarded_late;
	/** @frames_crc: frame_crc values computed */
	u64 frames_crc;
	/** @frames_ppm: frame.ppm images made */
	u64 frames_ppm;
	/** @frame_retries: reads begun again because the frame changed meanwhile */
	u64 frame_retries;
	/** @frame_missing_pages: pages painted magenta */
	u64 frame_missing_pages;
	/** @unsupported: latches that ask for something that frames do not show, see README.md */
	u64 unsupported;
	/** @binds: times a driver took the display */
	u64 binds;
	/** @unbinds: times it let go */
	u64 unbinds;
	/** @enabled_at_unbind: and left the panel on: always the driver's defect */
	u64 enabled_at_unbind;
};

/**
 * struct mdp4_model - the display
 */
struct mdp4_model {
	/** @regs: the register file: reserved RAM, which the driver maps as device memory */
	void *regs;
	size_t regs_bytes;
	/** @dev: the display controller's platform device, the client of the IOMMU */
	struct device *dev;
	/** @virq: its interrupt, the driver's too */
	int virq;
	/** @pixel_hz: rate of the panel's pixel clock */
	unsigned long pixel_hz;

	/** @lock: guards everything down to @fault_log; taken in the timer's hard interrupt */
	raw_spinlock_t lock;
	struct mdp4_shadow shadow;
	/** @seq: moves with every latch and when the panel goes on or off */
	u64 seq;
	/** @gen: moves when the content of @shadow does */
	u64 gen;
	/** @vsync_at: when the last vsync was */
	ktime_t vsync_at;
	/** @vsync_jiffies: and what jiffies said then */
	u64 vsync_jiffies;
	/** @vsync_due: when the running frame ends */
	ktime_t vsync_due;
	/** @period_num: period in ns is period_num / period_den */
	u64 period_num;
	u64 period_den;
	/** @period_rem: part of a ns carried over to the next frame, in 1/period_den */
	u64 period_rem;
	/** @refresh_mhz: overrides the programmed mode's rate unless 0 */
	u32 refresh_mhz;
	/** @period_stale: refresh_mhz changed, compute the period anew */
	bool period_stale;
	/** @hold: a reader asks for the shadow to stay as it is */
	bool hold;
	/** @held_since: when the vsync began to be late for @hold; 0 if it is not */
	ktime_t held_since;
	/** @walks_wanted: vsyncs that had something to walk */
	u64 walks_wanted;
	/** @poison_iova: the page the judge shall believe missing; 0 for none */
	u64 poison_iova;
	struct mdp4_stats stats;
	/** @fault_log: ring of the last faults, the next goes to fault_count % MDP4_FAULT_LOG */
	struct mdp4_fault fault_log[MDP4_FAULT_LOG];
	u64 fault_count;

	/** @timer: the next vsync, or while off, the next look at LCDC_ENABLE */
	struct hrtimer timer;
	/** @vsync_wq: woken at each vsync */
	wait_queue_head_t vsync_wq;
	/** @walk_wq: woken when @walks_wanted moves */
	wait_queue_head_t walk_wq;
	struct task_struct *walker;
	/** @scan: the walker's own */
	struct mdp4_scan *scan;
	/** @frame: readers' buffers */
	struct mdp4_frame *frame;
	/** @judge: of stale translations */
	struct mdp4_judge *judge;
	struct dentry *debugfs;
};

static inline u32 mdp4_read(const struct mdp4_model *m, u32 reg)
{
	return READ_ONCE(*(u32 *)(m->regs + reg));
}

static inline void mdp4_write(struct mdp4_model *m, u32 reg, u32 value)
{
	WRITE_ONCE(*(u32 *)(m->regs + reg), value);
}

/* mdp4_model_main.c */
void mdp4_regs_reset(struct mdp4_model *m);

/* mdp4_model_sink.c */
#define MDP4_SINK_COMPATIBLE	"lab,dtv-sink"

bool mdp4_sink_present(void);
int mdp4_sink_register(struct mdp4_model *m);
void mdp4_sink_unregister(void);

/* mdp4_model_vsync.c */
int mdp4_vsync_start(struct mdp4_model *m);
void mdp4_vsync_stop(struct mdp4_model *m);
u64 mdp4_period_ns(const struct mdp4_model *m);
u64 mdp4_patience_ns(const struct mdp4_model *m);

/* mdp4_model_latch.c */
void mdp4_latch(struct mdp4_model *m);
void mdp4_latch_on(struct mdp4_model *m);
void mdp4_latch_off(struct mdp4_model *m);
u32 mdp4_unsupported_bits(const struct mdp4_shadow *sh);

/* mdp4_model_domain.c */
int mdp4_with_domain(struct mdp4_model *m, int (*fn)(struct iommu_domain *domain, void *data),
		     void *data);
phys_addr_t mdp4_translate(struct mdp4_model *m, struct iommu_domain *domain, u64 iova,
			   enum mdp4_fault_kind *kind);

/**
 * struct mdp4_fetch - rows of bytes that a pipe reads from one plane of its buffer
 */
struct mdp4_fetch {
	enum mdp4_source source;
	/** @iova: of the first byte of the first row */
	u64 iova;
	u32 stride_bytes;
	u32 row_bytes;
	u32 rows;
};

/* mdp4_model_fetch.c */
int mdp4_pipe_fetches(const struct mdp4_pipe *pipe, enum mdp4_source source,
		      struct mdp4_fetch out[MDP4_PLANES]);
u32 mdp4_pipe_stage(const struct mdp4_shadow *sh, unsigned int pipe);
bool mdp4_cursor_fetch(const struct mdp4_model *m, struct mdp4_fetch *out);

/* mdp4_model_fault.c */
void mdp4_fault(struct mdp4_model *m, enum mdp4_source source, u64 iova,
		enum mdp4_fault_kind kind);
void mdp4_unmap_begins(struct mdp4_model *m, u64 iova, u64 bytes);

/* mdp4_model_scan.c */
int mdp4_scan_start(struct mdp4_model *m);
void mdp4_scan_stop(struct mdp4_model *m);

/**
 * struct mdp4_stage - the bytes that one fetch read, taken out of the buffer
 */
struct mdp4_stage {
	struct mdp4_fetch fetch;
	/** @data: fetch.rows rows of fetch.row_bytes, no gaps */
	u8 *data;
	size_t data_bytes;
	/** @missing: a bit a page of the fetch, set where @data is not valid */
	unsigned long *missing;
	size_t missing_pages;
	/** @any_missing: whether @missing has a bit set */
	bool any_missing;
};

/* mdp4_model_stage.c */
int mdp4_stage_prepare(struct mdp4_stage *st, const struct mdp4_fetch *fetch);
void mdp4_stage_free(struct mdp4_stage *st);
int mdp4_stage_fill(struct mdp4_model *m, struct iommu_domain *domain, struct mdp4_stage *st,
		    u64 gen);
bool mdp4_stage_is_missing(const struct mdp4_stage *st, u32 row, u32 byte);

/* A page that is not there is painted so */
#define MDP4_MAGENTA	0xffff00ffU

/**
 * struct mdp4_decoder - how to make pixels (0xAARRGGBB) of the bytes that a pipe fetches
 */
struct mdp4_decoder {
	const struct mdp4_pipe *pipe;
	/** @stage: the bytes, one element for each plane */
	const struct mdp4_stage *stage;
	unsigned int planes;
	u32 src_width;
	u32 src_height;
	u32 src_x;
	u32 src_y;
	/** @step_x: source pixels a destination pixel, 1.0 is 1 << PHASE_SHIFT */
	u32 step_x;
	u32 step_y;
	/** @yuv: samples are Y, Cb and Cr */
	bool yuv;
	/** @native: bytes are B G R A already */
	bool native;
	/** @shift: RGB: lowest bit of R, G, B, A in a pixel */
	u8 shift[4];
	/** @bits: RGB: their widths, 0 for an A that is not there */
	u8 bits[4];
	/** @pos: interleaved YUV: byte of Y, Cb, Cr and the second Y among four */
	u8 pos[4];
	/** @mv: &struct mdp4_csc in plain integers, as are the rest */
	int mv[9];
	int pre_bv[3];
	int post_bv[3];
	int pre_lv[6];
	int post_lv[6];
};

/* mdp4_model_pixel.c */
void mdp4_decoder_init(struct mdp4_decoder *d, const struct mdp4_pipe *pipe,
		       const struct mdp4_stage *stage, unsigned int planes);
void mdp4_decode_row(const struct mdp4_decoder *d, u32 dst_y, u32 *out, u32 pixels);
void mdp4_blend_row(const struct mdp4_ovlp_stage *stage, const u32 *fg, u32 *line, u32 pixels);

/* mdp4_model_frame.c */
int mdp4_frame_init(struct mdp4_model *m);
void mdp4_frame_exit(struct mdp4_model *m);
int mdp4_frame_crc(struct mdp4_model *m, u64 *seq, u32 *crc);
void *mdp4_frame_ppm(struct mdp4_model *m, size_t *bytes);

/**
 * struct mdp4_reader - a bus master that reads memory as the display would
 */
struct mdp4_reader {
	struct pci_dev *pdev;
	/** @regs: the bus master's registers */
	void __iomem *regs;
	/** @smmu: the SMMU's registers; only looked at */
	void __iomem *smmu;
	/** @queue_size: events that fit into the SMMU's queue, a power of two */
	u32 queue_size;
	/** @script: what the bus master does, and its results */
	struct mdp4_script *script;
	/** @domain: that it is attached to, or NULL */
	struct iommu_domain *domain;
};

/* mdp4_model_reader.c */
int mdp4_reader_find(struct mdp4_reader *r);
void mdp4_reader_release(struct mdp4_reader *r);
int mdp4_reader_attach(struct mdp4_reader *r, struct iommu_domain *domain);
void mdp4_reader_detach(struct mdp4_reader *r);
int mdp4_reader_read(struct mdp4_reader *r, u64 iova, u64 *bytes);

/* mdp4_model_judge.c */
int mdp4_judge_init(struct mdp4_model *m);
void mdp4_judge_exit(struct mdp4_model *m);
void mdp4_judge_debugfs(struct mdp4_model *m);

/* mdp4_model_debugfs.c */
void mdp4_debugfs_register(struct mdp4_model *m);
void mdp4_debugfs_unregister(struct mdp4_model *m);

#endif
