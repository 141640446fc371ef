//! Interfaces and their calls by name. Names of calls are those of the specifications ([MS-*], C706), spelled as Zeek writes them where
//! it knows them. A `-` stands for a number without a name.

/// One interface.
pub struct Interface {
    uuid: &'static str,
    /// Zeek's name of it.
    pub name: &'static str,
    /// Number of the first call that is listed.
    first: u16,
    calls: &'static str,
}

impl Interface {
    /// Name of a call.
    pub fn call(&self, opnum: u16) -> Option<&'static str> {
        let at = usize::from(opnum.checked_sub(self.first)?);
        self.calls.split_ascii_whitespace().nth(at).filter(|&name| name != "-")
    }
}

/// The interface of a UUID in lower-case text.
pub fn by_uuid(uuid: &str) -> Option<&'static Interface> {
    INTERFACES.iter().find(|interface| interface.uuid == uuid)
}

/// The interface that lives behind a pipe, for pipes that are not shared by several.
pub fn by_pipe(pipe: &str) -> Option<&'static Interface> {
    const OWN: [&str; 12] =
        ["winreg", "spoolss", "srvsvc", "svcctl", "samr", "lsarpc", "netlogon", "wkssvc", "atsvc", "efsrpc", "netdfs", "initshutdown"];
    let name = pipe.rsplit('\\').next().unwrap_or(pipe).to_ascii_lowercase();
    OWN.contains(&name.as_str()).then(|| INTERFACES.iter().find(|interface| interface.name.eq_ignore_ascii_case(&name)))?
}

impl Interface {
    /// UUID in lower-case text.
    pub fn uuid(&self) -> &'static str {
        self.uuid
    }
}

const fn of(uuid: &'static str, name: &'static str, calls: &'static str) -> Interface {
    Interface { uuid, name, first: 0, calls }
}

const fn from(first: u16, uuid: &'static str, name: &'static str, calls: &'static str) -> Interface {
    Interface { uuid, name, first, calls }
}

const INTERFACES: &[Interface] = &[
    // MS-SCMR 3.1.4
    of(
        "367abb81-9844-35f1-ad32-98f038001003",
        "svcctl",
        "CloseServiceHandle ControlService DeleteService LockServiceDatabase QueryServiceObjectSecurity SetServiceObjectSecurity
        QueryServiceStatus SetServiceStatus UnlockServiceDatabase NotifyBootConfigStatus ScSetServiceBitsW ChangeServiceConfigW
        CreateServiceW EnumDependentServicesW EnumServicesStatusW OpenSCManagerW OpenServiceW QueryServiceConfigW QueryServiceLockStatusW
        StartServiceW GetServiceDisplayNameW GetServiceKeyNameW ScSetServiceBitsA ChangeServiceConfigA CreateServiceA
        EnumDependentServicesA EnumServicesStatusA OpenSCManagerA OpenServiceA QueryServiceConfigA QueryServiceLockStatusA StartServiceA
        GetServiceDisplayNameA GetServiceKeyNameA ScGetCurrentGroupStateW EnumServiceGroupW ChangeServiceConfig2A ChangeServiceConfig2W
        QueryServiceConfig2A QueryServiceConfig2W QueryServiceStatusEx EnumServicesStatusExA EnumServicesStatusExW ScSendTSMessage
        CreateServiceWOW64A CreateServiceWOW64W ScQueryServiceTagInfo NotifyServiceStatusChange GetNotifyResult CloseNotifyHandle
        ControlServiceExA ControlServiceExW ScSendPnPMessage ScValidatePnPService ScOpenServiceStatusHandle",
    ),
    // MS-TSCH 3.2.5
    of("1ff70682-0a51-30e8-076d-740be8cee98b", "atsvc", "NetrJobAdd NetrJobDel NetrJobEnum NetrJobGetInfo"),
    of(
        "378e52b0-c0a9-11cf-822d-00aa0051e40f",
        "sasec",
        "SASetAccountInformation SASetNSAccountInformation SAGetNSAccountInformation SAGetAccountInformation",
    ),
    of(
        "86d35949-83c9-4044-b424-db363231fd0c",
        "ITaskSchedulerService",
        "SchRpcHighestVersion SchRpcRegisterTask SchRpcRetrieveTask SchRpcCreateFolder SchRpcSetSecurity SchRpcGetSecurity
        SchRpcEnumFolder SchRpcEnumTasks SchRpcEnumInstances SchRpcGetInstanceInfo SchRpcStopInstance SchRpcStop SchRpcRun SchRpcDelete
        SchRpcRename SchRpcScheduledRuntimes SchRpcGetLastRunInfo SchRpcGetTaskInfo",
    ),
    // C706 appendices O and Q
    of(
        "e1af8308-5d1f-11c9-91a4-08002b14a0fa",
        "epmapper",
        "ept_insert ept_delete ept_lookup ept_map ept_lookup_handle_free ept_inq_object ept_mgmt_delete ept_map_auth ept_map_auth_async",
    ),
    of("afa8bd80-7d8a-11c9-bef4-08002b102989", "mgmt", "inq_if_ids inq_stats is_server_listening stop_server_listening inq_princ_name"),
    // MS-DCOM 3.1.2.5
    of(
        "99fcfec4-5260-101b-bbcb-00aa0021347a",
        "IObjectExporter",
        "ResolveOxid SimplePing ComplexPing ServerAlive ResolveOxid2 ServerAlive2",
    ),
    of("4d9f4ab8-7d1c-11cf-861e-0020af6e7c57", "IActivation", "RemoteActivation"),
    of(
        "000001a0-0000-0000-c000-000000000046",
        "IRemoteSCMActivator",
        "QueryInterfaceIRemoteSCMActivator AddRefIRemoteISCMActivator ReleaseIRemoteISCMActivator RemoteGetClassObject
        RemoteCreateInstance",
    ),
    of(
        "00000143-0000-0000-c000-000000000046",
        "IRemUnknown2",
        "QueryInterface AddRef Release RemQueryInterface RemAddRef RemRelease RemQueryInterface2",
    ),
    // MS-OAUT 3.1.4: what scripts call on objects. Not among Zeek's names.
    of(
        "00020400-0000-0000-c000-000000000046",
        "IDispatch",
        "QueryInterface AddRef Release GetTypeInfoCount GetTypeInfo GetIDsOfNames Invoke",
    ),
    // MS-WMI 3.1.4
    from(
        3,
        "9556dc99-828c-11cf-a37e-00aa003240c7",
        "IWbemServices",
        "OpenNamespace CancelAsyncCall QueryObjectSink GetObject GetObjectAsync PutClass PutClassAsync DeleteClass DeleteClassAsync
        CreateClassEnum CreateClassEnumAsync PutInstance PutInstanceAsync DeleteClass DeleteClassAsync CreateInstanceEnum
        CreateInstanceEnumAsync ExecQuery ExecQueryAsync ExecNotificationQuery ExecNotificationQueryAsync ExecMethod ExecMethodAsync",
    ),
    from(3, "f309ad18-d86a-11d0-a075-00c04fb68820", "IWbemLevel1Login", "EstablishPosition RequestChallenge WBEMLogin NTLMLogin"),
    of("d4781cd6-e5d3-44df-ad94-930efe48a887", "IWbemLoginClientID", ""),
    of("027947e1-d731-11ce-a357-000000000001", "IEnumWbemClassObject interface", ""),
    of("1c1c45ee-4395-11d2-b60b-00104b703efd", "IWbemFetchSmartEnum interface", ""),
    of("423ec01e-2e35-11d2-b604-00104b703efd", "IWbemWCOSmartEnum interface", ""),
    of("7c857801-7381-11cf-884d-00aa004b2e24", "IWbemObjectSink interface", ""),
    of("44aca675-e8fc-11d0-a07c-00c04fb68820", "IWbemCallResult interface", ""),
    of("f1e9c5b2-f59b-11d2-b362-00105a1f8177", "IWbemRemoteRefresher interface", ""),
    of("2c9273e0-1dc3-11d3-b364-00105a1f8177", "IWbemRefreshingServices interface", ""),
    // MS-NRPC 3.5.4
    of(
        "12345678-1234-abcd-ef00-01234567cffb",
        "netlogon",
        "NetrLogonUasLogon NetrLogonUasLogoff NetrLogonSamLogon NetrLogonSamLogoff NetrServerReqChallenge NetrServerAuthenticate
        NetrServerPasswordSet NetrDatabaseDeltas NetrDatabaseSync NetrAccountDeltas NetrAccountSync NetrGetDCName NetrLogonControl
        NetrGetAnyDCName NetrLogonControl2 NetrServerAuthenticate2 NetrDatabaseSync2 NetrDatabaseRedo NetrLogonControl2Ex
        NetrEnumerateTrustedDomains DsrGetDcName NetrLogonGetCapabilities NetrLogonSetServiceBits NetrLogonGetTrustRid
        NetrLogonComputeServerDigest NetrLogonComputeClientDigest NetrServerAuthenticate3 DsrGetDcNameEx DsrGetSiteName
        NetrLogonGetDomainInfo NetrServerPasswordSet2 NetrServerPasswordGet NetrLogonSendToSam DsrAddressToSiteNamesW DsrGetDcNameEx2
        NetrLogonGetTimeServiceParentDomain NetrEnumerateTrustedDomainsEx DsrAddressToSiteNamesExW DsrGetDcSiteCoverageW
        NetrLogonSamLogonEx DsrEnumerateDomainTrusts DsrDeregisterDnsHostRecords NetrServerTrustPasswordsGet
        DsrGetForestTrustInformation NetrGetForestTrustInformation NetrLogonSamLogonWithFlags NetrServerGetTrustInfo unused
        DsrUpdateReadOnlyServerDnsRecords NetrChainSetClientAttributes",
    ),
    // MS-DRSR 4.1
    of(
        "e3514235-4b06-11d1-ab04-00c04fc2dcd2",
        "drsuapi",
        "DRSBind DRSUnbind DRSReplicaSync DRSGetNCChanges DRSUpdateRefs DRSReplicaAdd DRSReplicaDel DRSReplicaModify DRSVerifyNames
        DRSGetMemberships DRSInterDomainMove DRSGetNT4ChangeLog DRSCrackNames DRSWriteSPN DRSRemoveDsServer DRSRemoveDsDomain
        DRSDomainControllerInfo DRSAddEntry DRSExecuteKCC DRSGetReplInfo DRSAddSidHistory DRSGetMemberships2 DRSReplicaVerifyObjects
        DRSGetObjectExistence DRSQuerySitesByCost",
    ),
    // MS-SRVS 3.1.4
    of(
        "4b324fc8-1670-01d3-1278-5a47bf6ee188",
        "srvsvc",
        "NetrCharDevEnum NetrCharDevGetInfo NetrCharDevControl NetrCharDevQEnum NetrCharDevQGetInfo NetrCharDevQSetInfo NetrCharDevQPurge
        NetrCharDevQPurgeSelf NetrConnectionEnum NetrFileEnum NetrFileGetInfo NetrFileClose NetrSessionEnum NetrSessionDel NetrShareAdd
        NetrShareEnum NetrShareGetInfo NetrShareSetInfo NetrShareDel NetrShareDelSticky NetrShareCheck NetrServerGetInfo
        NetrServerSetInfo NetrServerDiskEnum NetrServerStatisticsGet NetrServerTransportAdd NetrServerTransportEnum
        NetrServerTransportDel NetrRemoteTOD NetrServerSetServiceBits NetprPathType NetprPathCanonicalize NetprPathCompare
        NetprNameValidate NetprNameCanonicalize NetprNameCompare NetrShareEnumSticky NetrShareDelStart NetrShareDelCommit
        NetrpGetFileSecurity NetrpSetFileSecurity NetrServerTransportAddEx NetrServerSetServiceBitsEx NetrDfsGetVersion
        NetrDfsCreateLocalPartition NetrDfsDeleteLocalPartition NetrDfsSetLocalVolumeState NetrDfsSetServerInfo NetrDfsCreateExitPoint
        NetrDfsDeleteExitPoint NetrDfsModifyPrefix NetrDfsFixLocalVolume NetrDfsManagerReportSiteInfo NetrServerTransportDelEx -
        NetrServerAliasEnum NetrServerAliasDel NetrShareDelEx",
    ),
    // MS-WKST 3.2.4
    of(
        "6bffd098-a112-3610-9833-46c3f87e345a",
        "wkssvc",
        "NetrWkstaGetInfo NetrWkstaSetInfo NetrWkstaUserEnum NetrWkstaUserGetInfo NetrWkstaUserSetInfo NetrWkstaTransportEnum
        NetrWkstaTransportAdd NetrWkstaTransportDel NetrUseAdd NetrUseGetInfo NetrUseDel NetrUseEnum NetrMessageBufferSend
        NetrWorkstationStatisticsGet NetrLogonDomainNameAdd NetrLogonDomainNameDel NetrJoinDomain NetrUnjoinDomain NetrValidateName
        NetrRenameMachineInDomain NetrGetJoinInformation NetrGetJoinableOUs NetrJoinDomain2 NetrUnjoinDomain2 NetrRenameMachineInDomain2
        NetrValidateName2 NetrGetJoinableOUs2 NetrAddAlternateComputerName NetrRemoveAlternateComputerName NetrSetPrimaryComputerName
        NetrEnumerateComputerNames NetrWorkstationResetDfsCache",
    ),
    // MS-SAMR 3.1.5
    of(
        "12345778-1234-abcd-ef00-0123456789ac",
        "samr",
        "SamrConnect SamrCloseHandle SamrSetSecurityObject SamrQuerySecurityObject SamrShutdownSamServer SamrLookupDomainInSamServer
        SamrEnumerateDomainsInSamServer SamrOpenDomain SamrQueryInformationDomain SamrSetInformationDomain SamrCreateGroupInDomain
        SamrEnumerateGroupsInDomain SamrCreateUserInDomain SamrEnumerateUsersInDomain SamrCreateAliasInDomain
        SamrEnumerateAliasesInDomain SamrGetAliasMembership SamrLookupNamesInDomain SamrLookupIdsInDomain SamrOpenGroup
        SamrQueryInformationGroup SamrSetInformationGroup SamrAddMemberToGroup SamrDeleteGroup SamrRemoveMemberFromGroup
        SamrGetMembersInGroup SamrSetMemberAttributesOfGroup SamrOpenAlias SamrQueryInformationAlias SamrSetInformationAlias
        SamrDeleteAlias SamrAddMemberToAlias SamrRemoveMemberFromAlias SamrGetMembersInAlias SamrOpenUser SamrDeleteUser
        SamrQueryInformationUser SamrSetInformationUser SamrChangePasswordUser SamrGetGroupsForUser SamrQueryDisplayInformation
        SamrGetDisplayEnumerationIndex SamrTestPrivateFunctionsDomain SamrTestPrivateFunctionsUser SamrGetUserDomainPasswordInformation
        SamrRemoveMemberFromForeignDomain SamrQueryInformationDomain2 SamrQueryInformationUser2 SamrQueryDisplayInformation2
        SamrGetDisplayEnumerationIndex2 SamrCreateUser2InDomain SamrQueryDisplayInformation3 SamrAddMultipleMembersToAlias
        SamrRemoveMultipleMembersFromAlias SamrOemChangePasswordUser2 SamrUnicodeChangePasswordUser2 SamrGetDomainPasswordInformation
        SamrConnect2 SamrSetInformationUser2 SamrSetBootKeyInformation SamrGetBootKeyInformation SamrConnect3 SamrConnect4
        SamrUnicodeChangePasswordUser3 SamrConnect5 SamrRidToSid SamrSetDSRMPassword SamrValidatePassword
        SamrQueryLocalizableAccountsInDomain SamrPerformGenericOperation",
    ),
    // MS-LSAD 3.1.4, MS-LSAT 3.1.4
    of(
        "12345778-1234-abcd-ef00-0123456789ab",
        "lsarpc",
        "LsarClose LsarDelete LsarEnumeratePrivileges LsarQuerySecurityObject LsarSetSecurityObject LsarChangePassword LsarOpenPolicy
        LsarQueryInformationPolicy LsarSetInformationPolicy LsarClearAuditLog LsarCreateAccount LsarEnumerateAccounts
        LsarCreateTrustedDomain LsarEnumerateTrustedDomains LsarLookupNames LsarLookupSids LsarCreateSecret LsarOpenAccount
        LsarEnumeratePrivilegesAccount LsarAddPrivilegesToAccount LsarRemovePrivilegesFromAccount LsarGetQuotasForAccount
        LsarSetQuotasForAccount LsarGetSystemAccessAccount LsarSetSystemAccessAccount LsarOpenTrustedDomain LsarQueryInfoTrustedDomain
        LsarSetInformationTrustedDomain LsarOpenSecret LsarSetSecret LsarQuerySecret LsarLookupPrivilegeValue LsarLookupPrivilegeName
        LsarLookupPrivilegeDisplayName LsarDeleteObject LsarEnumerateAccountsWithUserRight LsarEnumerateAccountRights
        LsarAddAccountRights LsarRemoveAccountRights LsarQueryTrustedDomainInfo LsarSetTrustedDomainInfo LsarDeleteTrustedDomain
        LsarStorePrivateData LsarRetrievePrivateData LsarOpenPolicy2 LsarGetUserName LsarQueryInformationPolicy2
        LsarSetInformationPolicy2 LsarQueryTrustedDomainInfoByName LsarSetTrustedDomainInfoByName LsarEnumerateTrustedDomainsEx
        LsarCreateTrustedDomainEx LsarCloseTrustedDomainEx LsarQueryDomainInformationPolicy LsarSetDomainInformationPolicy
        LsarOpenTrustedDomainByName LsarTestCall LsarLookupSids2 LsarLookupNames2 LsarCreateTrustedDomainEx2 CredrWrite CredrRead
        CredrEnumerate CredrWriteDomainCredentials CredrReadDomainCredentials CredrDelete CredrGetTargetInfo CredrProfileLoaded
        LsarLookupNames3 CredrGetSessionTypes LsarRegisterAuditEvent LsarGenAuditEvent LsarUnregisterAuditEvent
        LsarQueryForestTrustInformation LsarSetForestTrustInformation CredrRename LsarLookupSids3 LsarLookupNames4 LsarOpenPolicySce
        LsarAdtRegisterSecurityEventSource LsarAdtUnregisterSecurityEventSource LsarAdtReportSecurityEvent CredrFindBestCredential
        LsarSetAuditPolicy LsarQueryAuditPolicy LsarEnumerateAuditPolicy LsarEnumerateAuditCategories LsarEnumerateAuditSubCategories
        LsarLookupAuditCategoryName LsarLookupAuditSubCategoryName LsarSetAuditSecurity LsarQueryAuditSecurity CredReadByTokenHandle
        CredrRestoreCredentials CredrBackupCredentials",
    ),
    of(
        "3919286a-b10c-11d0-9ba8-00c04fd92ef5",
        "dssetup",
        "DsRolerGetPrimaryDomainInformation DsRolerDnsNameToFlatName DsRolerDcAsDc DsRolerDcAsReplica DsRolerDemoteDc
        DsRolerGetDcOperationProgress DsRolerGetDcOperationResults DsRolerCancel DsRolerServerSaveStateForUpgrade
        DsRolerUpgradeDownlevelServer DsRolerAbortDownlevelServerUpgrade",
    ),
    // MS-RRP 3.1.5, MS-RSP
    of(
        "338cd001-2244-31f1-aaaa-900038001003",
        "winreg",
        "OpenClassesRoot OpenCurrentUser OpenLocalMachine OpenPerformanceData OpenUsers BaseRegCloseKey BaseRegCreateKey BaseRegDeleteKey
        BaseRegDeleteValue BaseRegEnumKey BaseRegEnumValue BaseRegFlushKey BaseRegGetKeySecurity BaseRegLoadKey
        BaseRegNotifyChangeKeyValue BaseRegOpenKey BaseRegQueryInfoKey BaseRegQueryValue BaseRegReplaceKey BaseRegRestoreKey
        BaseRegSaveKey BaseRegSetKeySecurity BaseRegSetValue BaseRegUnLoadKey BaseInitiateSystemShutdown BaseAbortSystemShutdown
        BaseRegGetVersion OpenCurrentConfig OpenDynData BaseRegQueryMultipleValues BaseInitiateSystemShutdownEx BaseRegSaveKeyEx
        OpenPerformanceText OpenPerformanceNlsText BaseRegQueryMultipleValues2 BaseRegDeleteKeyEx",
    ),
    of("894de0c0-0d55-11d3-a322-00c04fa321a1", "InitShutdown", "BaseInitiateShutdown BaseAbortShutdown BaseInitiateShutdownEx"),
    of("d95afe70-a6d5-4259-822e-2c84da1ddb0d", "WindowsShutdown", "WsdrInitiateShutdown WsdrAbortShutdown"),
    // MS-RPRN 3.1.4
    of(
        "12345678-1234-abcd-ef00-0123456789ab",
        "spoolss",
        "RpcEnumPrinters RpcOpenPrinter RpcSetJob RpcGetJob RpcEnumJobs RpcAddPrinter RpcDeletePrinter RpcSetPrinter RpcGetPrinter
        RpcAddPrinterDriver RpcEnumPrinterDrivers RpcGetPrinterDriver RpcGetPrinterDriverDirectory RpcDeletePrinterDriver
        RpcAddPrintProcessor RpcEnumPrintProcessors RpcGetPrintProcessorDirectory RpcStartDocPrinter RpcStartPagePrinter RpcWritePrinter
        RpcEndPagePrinter RpcAbortPrinter RpcReadPrinter RpcEndDocPrinter RpcAddJob RpcScheduleJob RpcGetPrinterData RpcSetPrinterData
        RpcWaitForPrinterChange RpcClosePrinter RpcAddForm RpcDeleteForm RpcGetForm RpcSetForm RpcEnumForms RpcEnumPorts RpcEnumMonitors
        RpcAddPort RpcConfigurePort RpcDeletePort RpcCreatePrinterIC RpcPlayGdiScriptOnPrinterIC RpcDeletePrinterIC
        RpcAddPrinterConnection RpcDeletePrinterConnection RpcPrinterMessageBox RpcAddMonitor RpcDeleteMonitor RpcDeletePrintProcessor
        RpcAddPrintProvidor RpcDeletePrintProvidor RpcEnumPrintProcessorDatatypes RpcResetPrinter RpcGetPrinterDriver2
        RpcClientFindFirstPrinterChangeNotification RpcFindNextPrinterChangeNotification RpcFindClosePrinterChangeNotification
        RpcRouterFindFirstPrinterChangeNotificationOld RpcReplyOpenPrinter RpcRouterReplyPrinter RpcReplyClosePrinter RpcAddPortEx
        RpcRemoteFindFirstPrinterChangeNotification RpcSpoolerInit RpcResetPrinterEx RpcRemoteFindFirstPrinterChangeNotificationEx
        RpcRouterReplyPrinterEx RpcRouterRefreshPrinterChangeNotification RpcSetAllocFailCount RpcSplOpenPrinter RpcAddPrinterEx
        RpcSetPort RpcEnumPrinterData RpcDeletePrinterData RpcClusterSplOpen RpcClusterSplClose RpcClusterSplIsAlive RpcSetPrinterDataEx
        RpcGetPrinterDataEx RpcEnumPrinterDataEx RpcEnumPrinterKey RpcDeletePrinterDataEx RpcDeletePrinterKey RpcSeekPrinter
        RpcDeletePrinterDriverEx RpcAddPerMachineConnection RpcDeletePerMachineConnection RpcEnumPerMachineConnections RpcXcvData
        RpcAddPrinterDriverEx RpcSplOpenPrinter RpcGetSpoolFileInfo RpcCommitSpoolData RpcCloseSpoolFileHandle RpcFlushPrinter
        RpcSendRecvBidiData RpcAddDriverCatalog RpcAddPrinterConnection2 RpcDeletePrinterConnection2 RpcInstallPrinterDriverFromPackage
        RpcUploadPrinterDriverPackage RpcGetCorePrinterDrivers RpcCorePrinterDriverInstalled RpcGetPrinterDriverPackagePath
        RpcReportJobProcessingProgress",
    ),
    // MS-PAR 3.1.4
    of(
        "76f03f96-cdfd-44fc-a22c-64950a001209",
        "IRemoteWinspool",
        "RpcAsyncOpenPrinter RpcAsyncAddPrinter RpcAsyncSetJob RpcAsyncGetJob RpcAsyncEnumJobs RpcAsyncAddJob RpcAsyncScheduleJob
        RpcAsyncDeletePrinter RpcAsyncSetPrinter RpcAsyncGetPrinter RpcAsyncStartDocPrinter RpcAsyncStartPagePrinter RpcAsyncWritePrinter
        RpcAsyncEndPagePrinter RpcAsyncEndDocPrinter RpcAsyncAbortPrinter RpcAsyncGetPrinterData RpcAsyncGetPrinterDataEx
        RpcAsyncSetPrinterData RpcAsyncSetPrinterDataEx RpcAsyncClosePrinter RpcAsyncAddForm RpcAsyncDeleteForm RpcAsyncGetForm
        RpcAsyncSetForm RpcAsyncEnumForms RpcAsyncGetPrinterDriver RpcAsyncEnumPrinterData RpcAsyncEnumPrinterDataEx
        RpcAsyncEnumPrinterKey RpcAsyncDeletePrinterData RpcAsyncDeletePrinterDataEx RpcAsyncDeletePrinterKey RpcAsyncXcvData
        RpcAsyncSendRecvBidiData RpcAsyncCreatePrinterIC RpcAsyncPlayGdiScriptOnPrinterIC RpcAsyncDeletePrinterIC RpcAsyncEnumPrinters
        RpcAsyncAddPrinterDriver RpcAsyncEnumPrinterDrivers RpcAsyncGetPrinterDriverDirectory RpcAsyncDeletePrinterDriver
        RpcAsyncDeletePrinterDriverEx RpcAsyncAddPrintProcessor RpcAsyncEnumPrintProcessors RpcAsyncGetPrintProcessorDirectory
        RpcAsyncEnumPorts RpcAsyncEnumMonitors RpcAsyncAddPort RpcAsyncSetPort RpcAsyncAddMonitor RpcAsyncDeleteMonitor
        RpcAsyncDeletePrintProcessor RpcAsyncEnumPrintProcessorDatatypes RpcAsyncAddPerMachineConnection
        RpcAsyncDeletePerMachineConnection RpcAsyncEnumPerMachineConnections RpcSyncRegisterForRemoteNotifications
        RpcSyncUnRegisterForRemoteNotifications RpcSyncRefreshRemoteNotifications RpcAsyncGetRemoteNotifications
        RpcAsyncInstallPrinterDriverFromPackage RpcAsyncUploadPrinterDriverPackage RpcAsyncGetCorePrinterDrivers
        RpcAsyncCorePrinterDriverInstalled RpcAsyncGetPrinterDriverPackagePath RpcAsyncDeletePrinterDriverPackage RpcAsyncReadPrinter
        RpcAsyncResetPrinter RpcAsyncGetJobNamedPropertyValue RpcAsyncSetJobNamedProperty RpcAsyncDeleteJobNamedProperty
        RpcAsyncEnumJobNamedProperties RpcAsyncLogJobInfoForBranchOffice",
    ),
    // MS-EVEN 3.1.4
    of(
        "82273fdc-e32a-18c3-3f78-827929dc23ea",
        "eventlog",
        "ElfrClearELFW ElfrBackupELFW ElfrCloseEL ElfrDeregisterEventSource ElfrNumberOfRecords ElfrOldestRecord ElfrChangeNotify
        ElfrOpenELW ElfrRegisterEventSourceW ElfrOpenBELW ElfrReadELW ElfrReportEventW ElfrClearELFA ElfrBackupELFA ElfrOpenELA
        ElfrRegisterEventSourceA ElfrOpenBELA ElfrReadELA ElfrReportEventA ElfrRegisterClusterSvc ElfrDeregisterClusterSvc
        ElfrWriteClusterEvents ElfrGetLogInformation ElfrFlushEL ElfrReportEventAndSourceW",
    ),
    // MS-DFSNM 3.1.4
    of(
        "4fc742e0-4a10-11cf-8273-00aa004ae673",
        "netdfs",
        "NetrDfsManagerGetVersion NetrDfsAdd NetrDfsRemove NetrDfsSetInfo NetrDfsGetInfo NetrDfsEnum NetrDfsRename NetrDfsMove
        NetrDfsManagerGetConfigInfo NetrDfsManagerSendSiteInfo NetrDfsAddFtRoot NetrDfsRemoveFtRoot NetrDfsAddStdRoot
        NetrDfsRemoveStdRoot NetrDfsManagerInitialize NetrDfsAddStdRootForced NetrDfsGetDcAddress NetrDfsSetDcAddress NetrDfsFlushFtTable
        NetrDfsAdd2 NetrDfsRemove2 NetrDfsEnumEx NetrDfsSetInfo2",
    ),
    // MS-EFSR 3.1.4, over both of its interfaces. Not among Zeek's names.
    of("c681d488-d850-11d0-8c52-00c04fd90f7e", "efsrpc", EFS),
    of("df1941c5-fe89-4e79-bf10-463657acf44d", "efsrpc", EFS),
    // MS-FSRVP 3.1.4. Not among Zeek's names.
    of(
        "a8e0653c-2744-4389-a61d-7373df8b2292",
        "FileServerVssAgent",
        "GetSupportedVersion SetContext StartShadowCopySet AddToShadowCopySet CommitShadowCopySet ExposeShadowCopySet
        RecoveryCompleteShadowCopySet AbortShadowCopySet IsPathSupported IsPathShadowCopied GetShareMapping DeleteShareMapping
        PrepareShadowCopySet",
    ),
    // MS-BKRP, MS-DNSP, MS-ICPR
    of("3dde7c30-165d-11d1-ab8f-00805f14db40", "BackupKey", "bkrp_BackupKey"),
    of(
        "50abc2a4-574d-40b3-9d66-ee4fd5fba076",
        "dnsserver",
        "DnssrvOperation DnssrvQuery DnssrvComplexOperation DnssrvEnumRecords DnssrvUpdateRecord DnssrvOperation2 DnssrvQuery2
        DnssrvComplexOperation2 DnssrvEnumRecords2 DnssrvUpdateRecord2",
    ),
    of("91ae6020-9e3c-11cf-8d7c-00aa00c091be", "ICertPassage", "CertServerRequest"),
    // MS-NSPI 3.1.4, MS-OXCRPC 3.1.4
    of(
        "f5cc5a18-4264-101a-8c59-08002b2f8426",
        "nspi",
        "NspiBind NspiUnbind NspiUpdateStat NspiQueryRows NspiSeekEntries NspiGetMatches NspiResortRestriction NspiDNToEph
        NspiGetPropList NspiGetProps",
    ),
    of(
        "a4f1db00-ca47-1067-b31f-00dd010662da",
        "exchange_mapi",
        "EcDoConnect EcDoDisconnect EcDoRpc EcGetMoreRpc EcRRegisterPushNotification EcRUnregisterPushNotification EcDummyRpc
        EcRGetDCName EcRNetGetDCName EcDoRpcExt EcDoConnectEx EcDoRpcExt2 EcUnknown0xC EcUnknown0xD EcDoAsyncConnectEx",
    ),
    of("1544f5e0-613c-11d1-93df-00c04fd7bd09", "exchange_rfr", ""),
    of("5261574a-4572-206e-b268-6b199213b4e4", "AsyncEMSMDB", ""),
    // MS-FRS1 3.3.4
    of(
        "f5cc59b4-4264-101a-8c59-08002b2f8426",
        "FrsRpc",
        "FrsRpcSendCommPkt FrsRpcVerifyPromotionParent FrsRpcStartPromotionParent FrsNOP FrsBackupComplete FrsBackupComplete
        FrsBackupComplete FrsBackupComplete FrsBackupComplete FrsBackupComplete FrsRpcVerifyPromotionParentEx",
    ),
    of(
        "6bffd098-a112-3610-9833-012892020162",
        "browser",
        "BrowserrServerEnum BrowserrDebugCall BrowserrQueryOtherDomains BrowserrResetNetlogonState BrowserrDebugTrace
        BrowserrQueryStatistics BrowserrResetStatistics NetrBrowserStatisticsClear NetrBrowserStatisticsGet BrowserrSetNetlogonState
        BrowserrQueryEmulatedDomains BrowserrServerEnumEx",
    ),
    of("12b81e99-f207-4a4c-85d3-77b42f76fd14", "ISeclogon", "SeclCreateProcessWithLogonW SeclCreateProcessWithLogonExW"),
    of(
        "17fdd703-1827-4e34-79d4-24a55c53bb37",
        "msgsvc",
        "NetrMessageNameAdd NetrMessageNameEnum NetrMessageNameGetInfo NetrMessageNameDel",
    ),
    of("5a7b91f8-ff00-11d0-a9b2-00c04fb6e6fc", "msgsvcsend", "NetrSendMessage"),
    of("5ca4a760-ebb1-11cf-8611-00a0245420ed", "winstation_rpc", ""),
    of("51c82175-844e-4750-b0d8-ec255555bc06", "KMS", ""),
    of("3d267954-eeb7-11d1-b94e-00c04fa3080d", "HydraLsPipe", ""),
    of("8d9f4e40-a03d-11ce-8f69-08003e30051b", "pnp", ""),
    of("ae33069b-a2a8-46ee-a235-ddfd339be281", "IRPCRemoteObject", ""),
    of("0b6edbfa-4a24-4fc6-8a23-942b1eca65d1", "IRPCAsyncNotify", ""),
];

const EFS: &str = "EfsRpcOpenFileRaw EfsRpcReadFileRaw EfsRpcWriteFileRaw EfsRpcCloseRaw EfsRpcEncryptFileSrv EfsRpcDecryptFileSrv
    EfsRpcQueryUsersOnFile EfsRpcQueryRecoveryAgents EfsRpcRemoveUsersFromFile EfsRpcAddUsersToFile - EfsRpcNotSupported EfsRpcFileKeyInfo
    EfsRpcDuplicateEncryptionInfoFile - EfsRpcAddUsersToFileEx EfsRpcFileKeyInfoEx - EfsRpcGetEncryptedFileMetadata
    EfsRpcSetEncryptedFileMetadata EfsRpcFlushEfsCache EfsRpcEncryptFileExSrv EfsRpcQueryProtectors";

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_interface_stands_once_in_the_form_that_is_looked_for() {
        let uuids: BTreeSet<&str> = INTERFACES.iter().map(|interface| interface.uuid).collect();
        assert_eq!(uuids.len(), INTERFACES.len());
        for uuid in uuids {
            assert_eq!(uuid.len(), 36);
            assert!(uuid.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-')), "{uuid}");
        }
    }

    #[test]
    fn calls_that_detections_rest_on_have_the_numbers_of_their_specifications() {
        for (name, opnum, call) in [
            ("svcctl", 12, "CreateServiceW"),
            ("svcctl", 19, "StartServiceW"),
            ("svcctl", 54, "ScOpenServiceStatusHandle"),
            ("ITaskSchedulerService", 12, "SchRpcRun"),
            ("drsuapi", 3, "DRSGetNCChanges"),
            ("netlogon", 4, "NetrServerReqChallenge"),
            ("netlogon", 26, "NetrServerAuthenticate3"),
            ("netlogon", 30, "NetrServerPasswordSet2"),
            ("netlogon", 45, "NetrLogonSamLogonWithFlags"),
            ("samr", 64, "SamrConnect5"),
            ("lsarpc", 77, "LsarLookupNames4"),
            ("srvsvc", 15, "NetrShareEnum"),
            ("srvsvc", 57, "NetrShareDelEx"),
            ("spoolss", 65, "RpcRemoteFindFirstPrinterChangeNotificationEx"),
            ("spoolss", 89, "RpcAddPrinterDriverEx"),
            ("IRemoteWinspool", 39, "RpcAsyncAddPrinterDriver"),
            ("winreg", 22, "BaseRegSetValue"),
            ("IWbemServices", 24, "ExecMethod"),
            ("efsrpc", 15, "EfsRpcAddUsersToFileEx"),
            ("netdfs", 12, "NetrDfsAddStdRoot"),
            ("FileServerVssAgent", 9, "IsPathShadowCopied"),
        ] {
            let interface = INTERFACES.iter().find(|interface| interface.name == name);
            assert_eq!(interface.and_then(|interface| interface.call(opnum)), Some(call), "{name} {opnum}");
        }
        assert_eq!(by_uuid("4b324fc8-1670-01d3-1278-5a47bf6ee188").and_then(|srvsvc| srvsvc.call(54)), None);
    }

    #[test]
    fn pipes_of_one_interface_tell_it_and_shared_ones_do_not() {
        assert_eq!(by_pipe("\\pipe\\SVCCTL").map(|interface| interface.name), Some("svcctl"));
        assert!(by_pipe("lsass").is_none() && by_pipe("").is_none());
    }
}
