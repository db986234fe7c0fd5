package kernel

// Commands (enum in include/uapi/linux/ip_vs.h, IPVS_CMD_*).
const (
	cmdNewService = 1 + iota
	cmdSetService
	cmdDelService
	cmdGetService
	cmdNewDest
	cmdSetDest
	cmdDelDest
	cmdGetDest
	cmdNewDaemon
	cmdDelDaemon
	cmdGetDaemon
	cmdSetConfig
	cmdGetConfig
	_ // SET_INFO, the reply to GET_INFO
	cmdGetInfo
	cmdZero
	cmdFlush
)

// What a message holds (IPVS_CMD_ATTR_*).
const (
	attrService = 1 + iota
	attrDest
	attrDaemon
	attrTimeoutTCP
	attrTimeoutTCPFin
	attrTimeoutUDP
)

// What a service holds (IPVS_SVC_ATTR_*).
const (
	svcFamily = 1 + iota
	svcProtocol
	svcAddr
	svcPort
	svcMark
	svcScheduler
	svcFlags
	svcTimeout
	svcNetmask
	svcStats
	svcEngine
	svcStats64
)

// What a real server holds (IPVS_DEST_ATTR_*).
const (
	destAddr = 1 + iota
	destPort
	destForward
	destWeight
	destUpper
	destLower
	destActive
	destInactive
	destPersistent
	destStats
	destFamily
	destStats64
	destTunnelType
	destTunnelPort
	destTunnelFlags
)

// What a sync daemon holds (IPVS_DAEMON_ATTR_*).
const (
	daemonRole = 1 + iota
	daemonInterface
	daemonSyncID
	daemonMaxLen
	daemonGroup
	daemonGroup6
	daemonPort
	daemonTTL
)

// What statistics hold (IPVS_STATS_ATTR_*).
const (
	statsConns = 1 + iota
	statsInPackets
	statsOutPackets
	statsInBytes
	statsOutBytes
	statsConnRate
	statsInPacketRate
	statsOutPacketRate
	statsInByteRate
	statsOutByteRate
)

// What the table itself holds (IPVS_INFO_ATTR_*).
const (
	infoVersion = 1 + iota
	infoTableSize
)

// A service's flags (IP_VS_SVC_F_*). The kernel adds "hashed" (2) by itself.
const (
	flagPersistent = 1
	flagOnePacket  = 4
	schedFlagShift = 3 // ipvs.SchedFlags begin at 8
	schedFlagMask  = 7

	flagsOurs = flagPersistent | flagOnePacket | schedFlagMask<<schedFlagShift
)
