"""Which properties the classes of pynetdicom have that handlers meet, as rows."""

from __future__ import annotations

from typing import NamedTuple

# module, class: properties; a star says that it is only read. pynetdicom 3.0.4.
ROWS = """
pdu_primitives ServiceParameter:
pdu_primitives A_ASSOCIATE: application_context_name called_ae_title
    called_presentation_address calling_ae_title calling_presentation_address diagnostic
    implementation_class_uid maximum_length_received mode* presentation_context_definition_list
    presentation_context_definition_results_list presentation_requirements* reason_str*
    responding_ae_title* responding_presentation_address* result result_source result_str*
    session_requirements* source_str* user_information
pdu_primitives A_RELEASE: reason* result
pdu_primitives A_ABORT: abort_source
pdu_primitives A_P_ABORT: provider_reason
pdu_primitives P_DATA: presentation_data_value_list
pdu_primitives MaximumLengthNotification: maximum_length_received
pdu_primitives ImplementationClassUIDNotification: implementation_class_uid
pdu_primitives ImplementationVersionNameNotification: implementation_version_name
pdu_primitives AsynchronousOperationsWindowNegotiation: maximum_number_operations_invoked
    maximum_number_operations_performed
pdu_primitives SCP_SCU_RoleSelectionNegotiation: scp_role scu_role sop_class_uid
pdu_primitives SOPClassExtendedNegotiation: service_class_application_information sop_class_uid
pdu_primitives SOPClassCommonExtendedNegotiation: related_general_sop_class_identification
    service_class_uid sop_class_uid
pdu_primitives UserIdentityNegotiation: positive_response_requested primary_field
    secondary_field server_response user_identity_type
dimse_primitives DIMSEPrimitive: AffectedSOPClassUID is_valid_request* is_valid_response*
    MessageID MessageIDBeingRespondedTo Status msg_type*
dimse_primitives C_STORE: AffectedSOPClassUID is_valid_request* is_valid_response* MessageID
    MessageIDBeingRespondedTo Status msg_type* AffectedSOPInstanceUID DataSet
    MoveOriginatorApplicationEntityTitle MoveOriginatorMessageID Priority
dimse_primitives C_FIND: AffectedSOPClassUID is_valid_request* is_valid_response* MessageID
    MessageIDBeingRespondedTo Status msg_type* Identifier Priority
dimse_primitives C_GET: AffectedSOPClassUID is_valid_request* is_valid_response* MessageID
    MessageIDBeingRespondedTo Status msg_type* Identifier NumberOfCompletedSuboperations
    NumberOfFailedSuboperations NumberOfRemainingSuboperations NumberOfWarningSuboperations
    Priority
dimse_primitives C_MOVE: AffectedSOPClassUID is_valid_request* is_valid_response* MessageID
    MessageIDBeingRespondedTo Status msg_type* Identifier MoveDestination
    NumberOfCompletedSuboperations NumberOfFailedSuboperations NumberOfRemainingSuboperations
    NumberOfWarningSuboperations Priority
dimse_primitives C_ECHO: AffectedSOPClassUID is_valid_request* is_valid_response* MessageID
    MessageIDBeingRespondedTo Status msg_type*
dimse_primitives C_CANCEL: MessageIDBeingRespondedTo
dimse_primitives N_EVENT_REPORT: AffectedSOPClassUID is_valid_request* is_valid_response*
    MessageID MessageIDBeingRespondedTo Status msg_type* AffectedSOPInstanceUID
    EventInformation EventReply EventTypeID
dimse_primitives N_GET: AffectedSOPClassUID is_valid_request* is_valid_response* MessageID
    MessageIDBeingRespondedTo Status msg_type* AffectedSOPInstanceUID AttributeIdentifierList
    AttributeList RequestedSOPClassUID RequestedSOPInstanceUID
dimse_primitives N_SET: AffectedSOPClassUID is_valid_request* is_valid_response* MessageID
    MessageIDBeingRespondedTo Status msg_type* AffectedSOPInstanceUID AttributeList
    ModificationList RequestedSOPClassUID RequestedSOPInstanceUID
dimse_primitives N_ACTION: AffectedSOPClassUID is_valid_request* is_valid_response* MessageID
    MessageIDBeingRespondedTo Status msg_type* ActionInformation ActionReply ActionTypeID
    AffectedSOPInstanceUID RequestedSOPClassUID RequestedSOPInstanceUID
dimse_primitives N_CREATE: AffectedSOPClassUID is_valid_request* is_valid_response* MessageID
    MessageIDBeingRespondedTo Status msg_type* AffectedSOPInstanceUID AttributeList
dimse_primitives N_DELETE: AffectedSOPClassUID is_valid_request* is_valid_response* MessageID
    MessageIDBeingRespondedTo Status msg_type* AffectedSOPInstanceUID RequestedSOPClassUID
    RequestedSOPInstanceUID
pdu PDU: pdu_length* pdu_type*
pdu A_ASSOCIATE_RQ: pdu_length* pdu_type* application_context_name* called_ae_title
    calling_ae_title presentation_context* user_information*
pdu A_ASSOCIATE_AC: pdu_length* pdu_type* application_context_name* called_ae_title*
    calling_ae_title* presentation_context* reserved_aec reserved_aet user_information*
pdu A_ASSOCIATE_RJ: pdu_length* pdu_type* reason_str* result_str* source_str*
pdu P_DATA_TF: pdu_length* pdu_type*
pdu A_RELEASE_RQ: pdu_length* pdu_type*
pdu A_RELEASE_RP: pdu_length* pdu_type*
pdu A_ABORT_RQ: pdu_length* pdu_type* source_str* reason_str*
pdu_items PDUItem: item_length* item_type*
pdu_items ApplicationContextItem: item_length* item_type* application_context_name
pdu_items PresentationContextItemRQ: item_length* item_type* abstract_syntax* context_id*
    transfer_syntax*
pdu_items PresentationContextItemAC: item_length* item_type* context_id* result* result_str*
    transfer_syntax*
pdu_items UserInformationItem: item_length* item_type* async_ops_window* common_ext_neg*
    ext_neg* implementation_class_uid* implementation_version_name* maximum_length*
    role_selection* user_identity*
pdu_items AbstractSyntaxSubItem: item_length* item_type* abstract_syntax* abstract_syntax_name
pdu_items TransferSyntaxSubItem: item_length* item_type* transfer_syntax* transfer_syntax_name
pdu_items MaximumLengthSubItem: item_length* item_type*
pdu_items ImplementationClassUIDSubItem: item_length* item_type* implementation_class_uid
pdu_items ImplementationVersionNameSubItem: item_length* item_type* implementation_version_name
pdu_items AsynchronousOperationsWindowSubItem: item_length* item_type* max_operations_invoked*
    max_operations_performed*
pdu_items SCP_SCU_RoleSelectionSubItem: item_length* item_type* scu* scu_role scp* scp_role
    sop_class_uid uid* uid_length*
pdu_items SOPClassExtendedNegotiationSubItem: item_length* item_type* app_info* sop_class_uid
    sop_class_uid_length* uid*
pdu_items SOPClassCommonExtendedNegotiationSubItem: item_length* item_type*
    related_general_sop_class_identification related_general_sop_class_identification_length*
    sop_class_uid sop_class_uid_length* service_class_uid service_class_uid_length*
pdu_items UserIdentitySubItemRQ: item_length* item_type* id_type* id_type_str* primary*
    primary_field_length* response_requested* secondary* secondary_field_length*
pdu_items UserIdentitySubItemAC: item_length* item_type* response* server_response_length*
pdu_items PresentationDataValueItem: item_length* item_type* context_id* data*
    message_control_header_byte*
"""


class Row(NamedTuple):
    """A class and its properties."""

    module: str
    name: str
    written: tuple[str, ...]
    read: tuple[str, ...]

    @property
    def box(self) -> str:
        """The row of docs/compatibility.md."""
        return f"D.{self.module}.{self.name}"


def _rows() -> list[Row]:
    rows = []
    for text in ROWS.replace("\n    ", " ").strip().splitlines():
        head, _, names = text.partition(":")
        module, name = head.split()
        written = tuple(each for each in names.split() if not each.endswith("*"))
        read = tuple(each.rstrip("*") for each in names.split() if each.endswith("*"))
        rows.append(Row(module, name, written, read))
    return rows


PROPERTIES = _rows()
