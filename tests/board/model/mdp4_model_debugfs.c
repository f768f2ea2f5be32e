// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs mdp4_model/: what tests and people read, README.md says what each file means.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "mdp4_model.h"

#define REFRESH_MIN_MHZ	1000
#define REFRESH_MAX_MHZ	1000000

static int stats_show(struct seq_file *f, void *unused)
{
	struct mdp4_model *m = f->private;
	struct mdp4_stats st;
	u64 seq, period_ns;
	bool on;
	int i;

	scoped_guard(raw_spinlock_irqsave, &m->lock) {
		st = m->stats;
		seq = m->seq;
		on = m->shadow.on;
		period_ns = mdp4_period_ns(m);
	}
#define LINE(name)	seq_printf(f, "%s %llu\n", #name, st.name)
	seq_printf(f, "on %u\n", on);
	seq_printf(f, "seq %llu\n", seq);
	seq_printf(f, "period_ns %llu\n", period_ns);
	LINE(vsyncs);
	LINE(vsyncs_missed);
	LINE(vsyncs_held);
	LINE(vsync_late_max_ns);
	seq_printf(f, "vsync_late_avg_ns %llu\n",
		   st.vsyncs ? div64_u64(st.vsync_late_sum_ns, st.vsyncs) : 0);
	LINE(vsyncs_blank);
	LINE(interrupts);
	LINE(latches);
	LINE(flips);
	LINE(enables);
	LINE(disables);
	LINE(walks_started);
	LINE(walks_completed);
	LINE(walks_skipped);
	LINE(underwalks);
	LINE(walk_max_ns);
	seq_printf(f, "walk_avg_ns %llu\n",
		   st.walks_completed ? div64_u64(st.walk_sum_ns, st.walks_completed) : 0);
	LINE(scanned_pages);
	LINE(scanout_faults);
	for (i = 0; i < MDP4_FAULT_KINDS; i++)
		seq_printf(f, "scanout_faults_%s %llu\n", mdp4_fault_names[i],
			   st.faults_by_kind[i]);
	LINE(faults_discarded_late);
	LINE(frames_crc);
	LINE(frames_ppm);
	LINE(frame_retries);
	LINE(frame_missing_pages);
	LINE(unsupported);
	LINE(binds);
	LINE(unbinds);
	LINE(enabled_at_unbind);
#undef LINE
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static int faults_show(struct seq_file *f, void *unused)
{
	struct mdp4_model *m = f->private;
	struct mdp4_fault *log;
	u64 i, count;

	log = kmalloc_objs(*log, MDP4_FAULT_LOG);
	if (!log)
		return -ENOMEM;
	scoped_guard(raw_spinlock_irqsave, &m->lock) {
		memcpy(log, m->fault_log, sizeof(m->fault_log));
		count = m->fault_count;
	}
	for (i = count > MDP4_FAULT_LOG ? count - MDP4_FAULT_LOG : 0; i < count; i++) {
		const struct mdp4_fault *fault = &log[i % MDP4_FAULT_LOG];

		seq_printf(f, "%llu %s %#llx %s\n", fault->seq, mdp4_source_names[fault->source],
			   fault->iova, mdp4_fault_names[fault->kind]);
	}
	kfree(log);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(faults);

static void show_pipe(struct seq_file *f, const struct mdp4_shadow *sh, unsigned int i)
{
	const struct mdp4_pipe *p = &sh->pipe[i];
	struct mdp4_fetch fetch[MDP4_PLANES];
	int n, planes;

	seq_printf(f, "%-6s stage %u src %ux%u+%u+%u dst %ux%u%+d%+d format %#010x unpack %#010x op %#x phase %#x %#x\n",
		   mdp4_source_names[i], mdp4_pipe_stage(sh, i),
		   REG_LOW16(p->src_size), REG_HIGH16(p->src_size),
		   REG_LOW16(p->src_xy), REG_HIGH16(p->src_xy),
		   REG_LOW16(p->dst_size), REG_HIGH16(p->dst_size),
		   sign_extend32(REG_LOW16(p->dst_xy), 15),
		   sign_extend32(REG_HIGH16(p->dst_xy), 15),
		   p->format, p->unpack, p->op_mode, p->phasex_step, p->phasey_step);
	planes = mdp4_pipe_fetches(p, i, fetch);
	for (n = 0; n < planes; n++)
		seq_printf(f, "       plane %d base %#010x fetches %u rows of %u bytes, stride %u, from %#llx\n",
			   n, p->base[n], fetch[n].rows, fetch[n].row_bytes,
			   fetch[n].stride_bytes, fetch[n].iova);
}

static int pipes_show(struct seq_file *f, void *unused)
{
	struct mdp4_model *m = f->private;
	struct mdp4_shadow *sh;
	struct mdp4_fetch cursor;
	bool cursor_on;
	unsigned int i;
	u32 flush;

	sh = kmalloc_obj(*sh);
	if (!sh)
		return -ENOMEM;
	scoped_guard(raw_spinlock_irqsave, &m->lock) {
		*sh = m->shadow;
		cursor_on = mdp4_cursor_fetch(m, &cursor);
		flush = mdp4_read(m, REG_OVERLAY_FLUSH);
	}
	seq_printf(f, "panel  %s %ux%u border %#08x mixer %ux%u config %#010x flush pending %#x\n",
		   sh->on ? "on" : "off", sh->panel_width, sh->panel_height, sh->border,
		   REG_LOW16(sh->mixer_size), REG_HIGH16(sh->mixer_size), sh->mixer, flush);
	for (i = 0; i < MDP4_PIPES; i++)
		if (mdp4_pipe_stage(sh, i))
			show_pipe(f, sh, i);
	for (i = 0; i < MDP4_BLENDED_STAGES; i++)
		seq_printf(f, "stage%u op %#x fg %#x bg %#x co3 %#x\n", i, sh->stage[i].op,
			   sh->stage[i].fg_alpha, sh->stage[i].bg_alpha, sh->stage[i].co3);
	if (cursor_on)
		seq_printf(f, "%-6s %ux%u at %+d%+d from %#llx\n",
			   mdp4_source_names[MDP4_CURSOR], cursor.row_bytes / 4, cursor.rows,
			   sign_extend32(REG_LOW16(sh->cursor_pos), 15),
			   sign_extend32(REG_HIGH16(sh->cursor_pos), 15), cursor.iova);
	i = mdp4_unsupported_bits(sh);
	if (i)
		seq_printf(f, "frames do not show everything asked for: %#x\n", i);
	kfree(sh);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pipes);

static int frame_crc_show(struct seq_file *f, void *unused)
{
	u64 seq;
	u32 crc;
	int ret;

	ret = mdp4_frame_crc(f->private, &seq, &crc);
	if (ret)
		return ret;
	seq_printf(f, "%llu %08x\n", seq, crc);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(frame_crc);

struct ppm {
	size_t bytes;
	void *data;
};

static int frame_ppm_open(struct inode *inode, struct file *file)
{
	struct ppm *ppm = kzalloc_obj(*ppm);

	if (!ppm)
		return -ENOMEM;
	ppm->data = mdp4_frame_ppm(inode->i_private, &ppm->bytes);
	if (IS_ERR(ppm->data)) {
		int ret = PTR_ERR(ppm->data);

		kfree(ppm);
		return ret;
	}
	file->private_data = ppm;
	return 0;
}

static ssize_t frame_ppm_read(struct file *file, char __user *to, size_t count, loff_t *pos)
{
	struct ppm *ppm = file->private_data;

	return simple_read_from_buffer(to, count, pos, ppm->data, ppm->bytes);
}

static int frame_ppm_release(struct inode *inode, struct file *file)
{
	struct ppm *ppm = file->private_data;

	vfree(ppm->data);
	kfree(ppm);
	return 0;
}

static const struct file_operations frame_ppm_fops = {
	.owner = THIS_MODULE,
	.open = frame_ppm_open,
	.read = frame_ppm_read,
	.release = frame_ppm_release,
	.llseek = default_llseek,
};

static int refresh_mhz_get(void *data, u64 *value)
{
	struct mdp4_model *m = data;

	*value = READ_ONCE(m->refresh_mhz);
	return 0;
}

static int refresh_mhz_set(void *data, u64 value)
{
	struct mdp4_model *m = data;

	if (value && (value < REFRESH_MIN_MHZ || value > REFRESH_MAX_MHZ))
		return -ERANGE;
	guard(raw_spinlock_irqsave)(&m->lock);
	m->refresh_mhz = value;
	m->period_stale = true;
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(refresh_mhz_fops, refresh_mhz_get, refresh_mhz_set, "%llu\n");

static int poison_iova_get(void *data, u64 *value)
{
	struct mdp4_model *m = data;

	*value = READ_ONCE(m->poison_iova);
	return 0;
}

static int poison_iova_set(void *data, u64 value)
{
	struct mdp4_model *m = data;

	guard(raw_spinlock_irqsave)(&m->lock);
	m->poison_iova = value;
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(poison_iova_fops, poison_iova_get, poison_iova_set, "%#llx\n");

static int reset_set(void *data, u64 value)
{
	struct mdp4_model *m = data;

	guard(raw_spinlock_irqsave)(&m->lock);
	memset(&m->stats, 0, sizeof(m->stats));
	m->fault_count = 0;
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(reset_fops, NULL, reset_set, "%llu\n");

/**
 * mdp4_debugfs_register - make the files
 * @m: the display
 */
void mdp4_debugfs_register(struct mdp4_model *m)
{
	m->debugfs = debugfs_create_dir("mdp4_model", NULL);
	debugfs_create_file("stats", 0444, m->debugfs, m, &stats_fops);
	debugfs_create_file("faults", 0444, m->debugfs, m, &faults_fops);
	debugfs_create_file("pipes", 0444, m->debugfs, m, &pipes_fops);
	debugfs_create_file("frame_crc", 0444, m->debugfs, m, &frame_crc_fops);
	debugfs_create_file("frame.ppm", 0444, m->debugfs, m, &frame_ppm_fops);
	debugfs_create_file("refresh_mhz", 0644, m->debugfs, m, &refresh_mhz_fops);
	debugfs_create_file("poison_iova", 0644, m->debugfs, m, &poison_iova_fops);
	debugfs_create_file("reset", 0200, m->debugfs, m, &reset_fops);
	mdp4_judge_debugfs(m);
}

/**
 * mdp4_debugfs_unregister - remove them, waiting for their readers
 * @m: the display
 */
void mdp4_debugfs_unregister(struct mdp4_model *m)
{
	debugfs_remove(m->debugfs);
}
