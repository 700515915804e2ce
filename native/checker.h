/* The checker's C twin: judges a stream of boundary events by the rules of pymodel/checker.
 *
 * twin.py hands this file to cffi: below the include guard only plain C declarations, no macros.
 */
#ifndef VIO_CHECKER_H
#define VIO_CHECKER_H
#include "vio_native.h"
#ifdef __cplusplus
extern "C" {
#endif

typedef struct vio_checker vio_checker;
enum vio_verdict { VIO_HELD, VIO_VIOLATED, VIO_NOT_EXERCISED, VIO_NOT_APPLICABLE };

/* A checker for live events. `header`: line 1 of a trace, or NULL; `settle`: how long a notification
 * may be owed, in picoseconds, -1 for the default; `limit`: the most memory that it takes, in bytes.
 * NULL: no memory. */
vio_checker *vio_checker_new(const char *header, int64_t settle, size_t limit);
/* A checker for the trace at `path`. */
vio_checker *vio_checker_open(const char *path, int64_t settle, size_t limit);
void vio_checker_free(vio_checker *checker);

/* Take in an event: -1 if it cannot be one, or something failed before. */
int vio_checker_observe(vio_checker *checker, const vio_event *event);
/* The same, as a vio_event_sink; an event that cannot be ends the stream with an error. */
void vio_checker_sink(void *checker, const vio_event *event);
/* Judge at most `count` events of the trace: 1 if there may be more, 0 at its end, -1 on an error. */
int vio_checker_run(vio_checker *checker, uint64_t count);
/* The stream ends: judge what is left. */
void vio_checker_finish(vio_checker *checker);
/* What went wrong, NULL if nothing; the line of the trace, 0 for the file itself. */
const char *vio_checker_error(const vio_checker *checker);
uint64_t vio_checker_error_line(const vio_checker *checker);

/* Results. Clauses are numbered as in the table. */
uint32_t vio_checker_clauses(void);
const char *vio_checker_clause(uint32_t clause);
bool vio_checker_judges(uint32_t clause);
enum vio_verdict vio_checker_verdict(const vio_checker *checker, uint32_t clause);
uint64_t vio_checker_held(const vio_checker *checker, uint32_t clause);
uint64_t vio_checker_breached(const vio_checker *checker, uint32_t clause);
/* Verdict and counts of every clause at once, into arrays of vio_checker_clauses() places. */
void vio_checker_outcomes(const vio_checker *checker, uint8_t *verdicts, uint64_t *held,
                          uint64_t *breached);
/* The first breach of each clause, in the order in which they became certain. `line`: of the trace, or
 * the number of the live event, from 1 on. */
typedef struct vio_checker_finding {
  uint32_t clause;
  bool mandatory;
  uint64_t t, line;
  const char *message;
} vio_checker_finding;
uint32_t vio_checker_findings(const vio_checker *checker);
vio_checker_finding vio_checker_finding_at(const vio_checker *checker, uint32_t index);
uint64_t vio_checker_events(const vio_checker *checker);
uint64_t vio_checker_ignored(const vio_checker *checker);
bool vio_checker_orderly(const vio_checker *checker);
/* What could not be judged, NULL behind the last. */
const char *vio_checker_note(const vio_checker *checker, uint32_t index);

#ifdef __cplusplus
}
#endif
#endif
