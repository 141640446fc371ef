-- What clients of industrial protocols told and asked their devices: one row an order, whatever the protocol. `kind` is read, write, stop,
-- restart, program, identify, else other; `place` is the point it is about, `done` that the device agreed, `refused` why it did not.
CREATE OR REPLACE TEMP TABLE orders AS
WITH modbus_answer AS (
    SELECT flow_id, code AS func_code, tid, bool_or(exception IS NULL) AS done, min(exception) AS refused
    FROM (SELECT flow_id, tid, func_code & 127 AS code, nullif(exception, '') AS exception FROM modbus WHERE pdu_type = 'RESP')
    GROUP BY flow_id, code, tid
),
cip_answer AS (
    SELECT flow_id, cip_service_code, bool_or(cip_status_code = 0) AS done, min(cip_status) FILTER (cip_status_code <> 0) AS refused
    FROM cip WHERE direction = 'response' GROUP BY ALL
),
bacnet_answer AS (
    SELECT flow_id, invoke_id, bool_or(pdu_type IN ('SIMPLE_ACK', 'COMPLEX_ACK')) AS done, min(coalesce(nullif(result_code, ''), pdu_type)) FILTER (pdu_type IN ('ERROR', 'REJECT', 'ABORT')) AS refused
    FROM bacnet WHERE pdu_type NOT IN ('CONFIRMED_REQUEST', 'UNCONFIRMED_REQUEST') AND invoke_id IS NOT NULL GROUP BY ALL
),
iec104_answer AS (
    SELECT flow_id, type_id, common_address, object_address, bool_or(cause = 7 AND NOT negative) AS done, min(cause_name) FILTER (negative OR cause BETWEEN 44 AND 47) AS refused
    FROM iec104 WHERE cause IN (7, 9, 10) OR cause BETWEEN 44 AND 47 GROUP BY ALL
)
SELECT
    'Modbus' AS protocol, ts, flow_id, frame, id_orig_h AS client, id_resp_h AS device, unit::VARCHAR AS unit, func AS what,
    CASE WHEN func_code IN (17, 43) THEN 'identify' WHEN access IN ('write', 'both') THEN 'write' WHEN access = 'read' THEN 'read' ELSE 'other' END AS kind,
    concat(unit, ' ', CASE WHEN func_code IN (1, 5, 15) THEN 'coil' WHEN func_code = 2 THEN 'input' WHEN func_code = 4 THEN 'input register' ELSE 'register' END, ' ', address) AS place,
    array_to_string("values", ' ') AS value, coalesce(done, false) AS done, refused
FROM modbus LEFT JOIN modbus_answer USING (flow_id, func_code, tid)
WHERE pdu_type = 'REQ' AND func_code < 128
UNION ALL
SELECT
    'DNP3', ts, flow_id, frame, id_orig_h, id_resp_h, outstation::VARCHAR, fc_request,
    CASE
        WHEN fc_request = 'READ' THEN 'read'
        WHEN fc_request IN ('SELECT', 'OPERATE', 'DIRECT_OPERATE', 'DIRECT_OPERATE_NR') THEN 'write'
        -- Setting the clock and clearing the mark of a restart are what masters do all day.
        WHEN fc_request = 'WRITE' AND NOT regexp_matches(coalesce(objects[1], ''), '^(34|50|51|70|80):') THEN 'write'
        WHEN fc_request = 'WRITE' AND starts_with(objects[1], '70:') OR fc_request IN ('DELETE_FILE', 'ACTIVATE_CONFIG', 'SAVE_CONFIG', 'INITIALIZE_APPL') THEN 'program'
        WHEN fc_request IN ('COLD_RESTART', 'WARM_RESTART') THEN 'restart'
        WHEN fc_request = 'STOP_APPL' THEN 'stop'
        ELSE 'other'
    END,
    concat(outstation, ' ', array_to_string(objects, ' ')), NULL, fc_reply IS NOT NULL AND coalesce(iin, 0) & 7 = 0,
    CASE WHEN coalesce(iin, 0) & 7 > 0 THEN 'not supported, unknown object or wrong parameter' END
FROM dnp3 WHERE fc_request IS NOT NULL AND fc_request <> 'CONFIRM'
UNION ALL
SELECT
    -- In a download the controller asks for each piece: the client is who opened the connection.
    'S7', ts, flow_id, frame, id_orig_h, id_resp_h, '',
    concat_ws(' ', coalesce(nullif(subfunction_name, ''), function_name), block),
    CASE
        WHEN action = 'start' THEN CASE WHEN block = 'P_PROGRAM' THEN 'restart' ELSE 'program' END
        WHEN action IN ('read', 'write', 'stop') THEN action
        WHEN action = 'download' THEN 'program'
        WHEN szl_id IS NOT NULL THEN 'identify'
        ELSE 'other'
    END,
    array_to_string(items, ' '), data, reply_frame IS NOT NULL AND coalesce(error_class, 0) = 0, CASE WHEN coalesce(error_class, 0) > 0 THEN 'error' END
FROM s7comm WHERE rosctr_code IN (1, 7)
UNION ALL
SELECT
    'IEC 104', ts, iec104.flow_id, frame, CASE WHEN is_orig THEN id_orig_h ELSE id_resp_h END, CASE WHEN is_orig THEN id_resp_h ELSE id_orig_h END, iec104.common_address::VARCHAR, type_name,
    CASE WHEN iec104.type_id BETWEEN 45 AND 64 OR iec104.type_id BETWEEN 110 AND 113 THEN 'write' WHEN iec104.type_id = 105 THEN 'restart' WHEN iec104.type_id BETWEEN 100 AND 102 THEN 'read' ELSE 'other' END,
    concat(iec104.common_address, ' ', iec104.object_address), value, coalesce(done, false), refused
FROM iec104 LEFT JOIN iec104_answer ON iec104_answer.flow_id = iec104.flow_id AND iec104_answer.type_id = iec104.type_id
    AND iec104_answer.common_address = iec104.common_address AND iec104_answer.object_address IS NOT DISTINCT FROM iec104.object_address
WHERE cause IN (5, 6) AND iec104.type_id >= 45
UNION ALL
SELECT
    'CIP', ts, flow_id, frame, CASE WHEN is_orig THEN id_orig_h ELSE id_resp_h END, CASE WHEN is_orig THEN id_resp_h ELSE id_orig_h END, '',
    concat_ws(' ', cip_service, coalesce(class_name, 'class ' || class_id)),
    CASE
        WHEN cip_service_code = 5 AND class_id = 1 OR cip_service_code = 6 AND class_id <> 6 THEN 'restart'
        WHEN cip_service_code = 7 THEN 'stop'
        WHEN write THEN 'write'
        WHEN cip_service_code IN (3, 14, 76) OR cip_service_code = 82 AND class_id IS DISTINCT FROM 6 THEN 'read'
        WHEN cip_service_code = 1 AND class_id = 1 THEN 'identify'
        ELSE 'other'
    END,
    coalesce(tag, concat_ws('/', class_id, instance_id, attribute_id)), NULL, coalesce(done, false), refused
FROM cip LEFT JOIN cip_answer USING (flow_id, cip_service_code)
WHERE direction = 'request'
UNION ALL
SELECT
    'EtherNet/IP', ts, flow_id, frame, CASE WHEN is_orig THEN id_orig_h ELSE id_resp_h END, CASE WHEN is_orig THEN id_resp_h ELSE id_orig_h END, '', enip_command, 'identify', NULL, NULL, true, NULL
FROM enip WHERE enip_command_code = 99 AND length = 0
UNION ALL
SELECT
    'BACnet', ts, flow_id, frame, CASE WHEN is_orig THEN id_orig_h ELSE id_resp_h END, CASE WHEN is_orig THEN id_resp_h ELSE id_orig_h END, '', pdu_service,
    CASE
        WHEN pdu_service = 'reinitialize_device' THEN 'restart'
        WHEN pdu_service = 'device_communication_control' THEN 'stop'
        WHEN pdu_service = 'atomic_write_file' THEN 'program'
        WHEN write THEN 'write'
        WHEN starts_with(pdu_service, 'read_') THEN 'read'
        ELSE 'other'
    END,
    concat_ws(' ', object_type, instance_number, property), value, coalesce(done, false), refused
FROM bacnet LEFT JOIN bacnet_answer USING (flow_id, invoke_id)
WHERE pdu_type IN ('CONFIRMED_REQUEST', 'UNCONFIRMED_REQUEST') AND pdu_service IS NOT NULL;
