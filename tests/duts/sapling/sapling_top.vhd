-- Sapling: a virtio entropy device in VHDL for a vendor's PCIe block, one queue of 16.
library ieee;
use ieee.std_logic_1164.all;
use ieee.numeric_std.all;

entity sapling_top is
  generic (
    QueueSize : positive := 16
  );
  port (
    aclk            : in  std_logic;
    aresetn         : in  std_logic;
    S_AXIL_AWADDR   : in  std_logic_vector(15 downto 0);
    S_AXIL_AWVALID  : in  std_logic;
    S_AXIL_AWREADY  : out std_logic;
    S_AXIL_WDATA    : in  std_logic_vector(31 downto 0);
    S_AXIL_WSTRB    : in  std_logic_vector(3 downto 0);
    S_AXIL_WVALID   : in  std_logic;
    S_AXIL_WREADY   : out std_logic;
    S_AXIL_BRESP    : out std_logic_vector(1 downto 0);
    S_AXIL_BVALID   : out std_logic;
    S_AXIL_BREADY   : in  std_logic;
    S_AXIL_ARADDR   : in  std_logic_vector(15 downto 0);
    S_AXIL_ARVALID  : in  std_logic;
    S_AXIL_ARREADY  : out std_logic;
    S_AXIL_RDATA    : out std_logic_vector(31 downto 0);
    S_AXIL_RRESP    : out std_logic_vector(1 downto 0);
    S_AXIL_RVALID   : out std_logic;
    S_AXIL_RREADY   : in  std_logic;
    M_AXI_AWADDR    : out std_logic_vector(63 downto 0);
    M_AXI_AWID      : out std_logic_vector(1 downto 0);
    M_AXI_AWLEN     : out std_logic_vector(7 downto 0);
    M_AXI_AWSIZE    : out std_logic_vector(2 downto 0);
    M_AXI_AWBURST   : out std_logic_vector(1 downto 0);
    M_AXI_AWVALID   : out std_logic;
    M_AXI_AWREADY   : in  std_logic;
    M_AXI_WDATA     : out std_logic_vector(31 downto 0);
    M_AXI_WSTRB     : out std_logic_vector(3 downto 0);
    M_AXI_WLAST     : out std_logic;
    M_AXI_WVALID    : out std_logic;
    M_AXI_WREADY    : in  std_logic;
    M_AXI_BID       : in  std_logic_vector(1 downto 0);
    M_AXI_BRESP     : in  std_logic_vector(1 downto 0);
    M_AXI_BVALID    : in  std_logic;
    M_AXI_BREADY    : out std_logic;
    M_AXI_ARADDR    : out std_logic_vector(63 downto 0);
    M_AXI_ARID      : out std_logic_vector(1 downto 0);
    M_AXI_ARLEN     : out std_logic_vector(7 downto 0);
    M_AXI_ARSIZE    : out std_logic_vector(2 downto 0);
    M_AXI_ARBURST   : out std_logic_vector(1 downto 0);
    M_AXI_ARVALID   : out std_logic;
    M_AXI_ARREADY   : in  std_logic;
    M_AXI_RID       : in  std_logic_vector(1 downto 0);
    M_AXI_RDATA     : in  std_logic_vector(31 downto 0);
    M_AXI_RRESP     : in  std_logic_vector(1 downto 0);
    M_AXI_RLAST     : in  std_logic;
    M_AXI_RVALID    : in  std_logic;
    M_AXI_RREADY    : out std_logic;
    irq_request     : out std_logic;
    irq_vector      : out std_logic_vector(15 downto 0);
    irq_acknowledge : in  std_logic;
    intx            : out std_logic
  );
end entity;

architecture rtl of sapling_top is
  signal ring_desc, ring_driver, ring_device : unsigned(63 downto 0);
  signal ring_size                           : unsigned(15 downto 0);
  signal queue_vector, config_vector         : std_logic_vector(15 downto 0);
  signal run, kick, halt, halted             : std_logic;
  signal broken, broken_told, used_something : std_logic;
begin
  M_AXI_AWID    <= "10";
  M_AXI_ARID    <= "01";
  M_AXI_AWBURST <= "01";
  M_AXI_ARBURST <= "01";
  M_AXI_BREADY  <= '1';
  M_AXI_RREADY  <= '1';

  registers : entity work.sapling_regs
    generic map (QueueSize => QueueSize)
    port map (
      clk => aclk, rst_n => aresetn,
      awaddr => S_AXIL_AWADDR, awvalid => S_AXIL_AWVALID, awready => S_AXIL_AWREADY,
      wdata => S_AXIL_WDATA, wstrb => S_AXIL_WSTRB, wvalid => S_AXIL_WVALID,
      wready => S_AXIL_WREADY, bresp => S_AXIL_BRESP, bvalid => S_AXIL_BVALID,
      bready => S_AXIL_BREADY, araddr => S_AXIL_ARADDR, arvalid => S_AXIL_ARVALID,
      arready => S_AXIL_ARREADY, rdata => S_AXIL_RDATA, rresp => S_AXIL_RRESP,
      rvalid => S_AXIL_RVALID, rready => S_AXIL_RREADY,
      ring_desc => ring_desc, ring_driver => ring_driver, ring_device => ring_device,
      ring_size => ring_size, queue_vector => queue_vector, config_vector => config_vector,
      run => run, kick => kick, halt => halt, halted => halted, broken => broken,
      broken_told => broken_told, used_something => used_something, line => intx
    );

  master : entity work.sapling_dma
    port map (
      clk => aclk, rst_n => aresetn,
      ring_desc => ring_desc, ring_driver => ring_driver, ring_device => ring_device,
      ring_size => ring_size, queue_vector => queue_vector, config_vector => config_vector,
      run => run, kick => kick, halt => halt, halted => halted, broken => broken,
      broken_told => broken_told, used_something => used_something,
      irq_request => irq_request, irq_vector => irq_vector, irq_acknowledge => irq_acknowledge,
      awaddr => M_AXI_AWADDR, awlen => M_AXI_AWLEN, awsize => M_AXI_AWSIZE,
      awvalid => M_AXI_AWVALID, awready => M_AXI_AWREADY, wdata => M_AXI_WDATA,
      wstrb => M_AXI_WSTRB, wlast => M_AXI_WLAST, wvalid => M_AXI_WVALID,
      wready => M_AXI_WREADY, bresp => M_AXI_BRESP, bvalid => M_AXI_BVALID,
      araddr => M_AXI_ARADDR, arlen => M_AXI_ARLEN, arsize => M_AXI_ARSIZE,
      arvalid => M_AXI_ARVALID, arready => M_AXI_ARREADY, rdata => M_AXI_RDATA,
      rresp => M_AXI_RRESP, rlast => M_AXI_RLAST, rvalid => M_AXI_RVALID
    );
end architecture;
