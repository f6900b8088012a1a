"""Drives the workspace at DATABRICKS_HOST with the official SDK; prints one JSON object of what it read. Any answer that the SDK
cannot read ends it with a traceback."""

import json
import sys

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import DatabricksError
from databricks.sdk.service.jobs import RunLifeCycleState, RunResultState


def refused(call):
    try:
        call()
    except DatabricksError as error:
        return str(error)
    return None


def ended(w, run_id):
    """The run at its end. The SDK's own waiters sleep a second between looks; a run here takes a few hundredths of one."""
    while True:
        run = w.jobs.get_run(run_id)
        if run.state.life_cycle_state in (RunLifeCycleState.TERMINATED, RunLifeCycleState.INTERNAL_ERROR):
            return run


def main(run_id, wide_run_id):
    w = WorkspaceClient()
    told = {"user": w.current_user.me().user_name}

    told["runs"] = len(list(w.jobs.list_runs(limit=25, expand_tasks=True)))
    told["active"] = len(list(w.jobs.list_runs(active_only=True)))
    told["jobs"] = sorted(job.settings.name for job in w.jobs.list(expand_tasks=True))

    run = w.jobs.get_run(run_id, include_history=True, include_resolved_values=True)
    assert run.state.life_cycle_state == RunLifeCycleState.INTERNAL_ERROR, run.state
    assert run.state.result_state == RunResultState.FAILED, run.state
    told["code"] = run.status.termination_details.code.value
    told["history"] = [item.type.value for item in run.repair_history]
    failed = [task for task in run.tasks if task.state.result_state == RunResultState.FAILED]
    told["failed"] = [task.task_key for task in failed]
    told["error"] = w.jobs.get_run_output(failed[0].run_id).error
    told["of_a_job_run"] = refused(lambda: w.jobs.get_run_output(run_id))
    told["missing"] = refused(lambda: w.jobs.get_run(5))
    task_run = w.jobs.get_run(failed[0].run_id)
    told["parent"] = task_run.job_run_id

    job = w.jobs.get(run.job_id)
    told["job"] = {"name": job.settings.name, "tags": job.settings.tags, "tasks": [task.task_key for task in job.settings.tasks]}

    wide = w.jobs.get_run(wide_run_id)
    told["wide"] = len(wide.tasks)

    parameters = {parameter.name: parameter.value for parameter in run.job_parameters}
    repair = w.jobs.repair_run(run_id, rerun_all_failed_tasks=True, job_parameters=parameters)
    told["repair"] = repair.response.repair_id
    told["after"] = ended(w, run_id).state.result_state.value
    told["second"] = refused(lambda: w.jobs.repair_run(run_id, rerun_tasks=[failed[0].task_key]))

    started = [w.jobs.run_now(run.job_id, idempotency_token="t", job_parameters=parameters).response.run_id for _ in range(2)]
    told["started_once"] = started[0] == started[1]
    ended(w, started[0])
    w.jobs.cancel_run(started[0])
    json.dump(told, sys.stdout)


main(int(sys.argv[1]), int(sys.argv[2]))
