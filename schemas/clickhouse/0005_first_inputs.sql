-- How the first input of a session begins stands in its windows: lists show it and sort by it.
ALTER TABLE session_windows_versions
    ADD COLUMN IF NOT EXISTS first_input String CODEC(ZSTD(1)) AFTER services;

-- What was there before the column. Of two rows with one version the one that came last counts.
INSERT INTO session_windows_versions
SELECT w.* REPLACE (t.first_input AS first_input)
FROM session_windows_versions AS w FINAL
INNER JOIN
(
    SELECT
        project_id,
        window_start,
        session_id,
        argMinIf(input_start, (start_time, trace_id), input_start != '') AS first_input
    FROM traces_by_time_versions FINAL
    GROUP BY
        project_id,
        window_start,
        session_id
) AS t
    ON (w.project_id = t.project_id) AND (w.window_start = t.window_start) AND (w.session_id = t.session_id)
WHERE t.first_input != '';
