-- Register file of Sapling, a virtio entropy device of one queue, on AXI4-Lite of 32 bits.
--
-- Byte addresses: common structure at 0x000, ISR at 0x080, doorbell at 0x1000. The PCIe block in front
-- of it keeps configuration space and the MSI-X table.
library ieee;
use ieee.std_logic_1164.all;
use ieee.numeric_std.all;

entity sapling_regs is
  generic (
    QueueSize : positive := 16;  -- most entries of the queue, a power of two
    Vectors   : positive := 2    -- vectors of the PCIe block's MSI-X table
  );
  port (
    clk             : in  std_logic;
    rst_n           : in  std_logic;
    awaddr          : in  std_logic_vector(15 downto 0);
    awvalid         : in  std_logic;
    awready         : out std_logic;
    wdata           : in  std_logic_vector(31 downto 0);
    wstrb           : in  std_logic_vector(3 downto 0);
    wvalid          : in  std_logic;
    wready          : out std_logic;
    bresp           : out std_logic_vector(1 downto 0);
    bvalid          : out std_logic;
    bready          : in  std_logic;
    araddr          : in  std_logic_vector(15 downto 0);
    arvalid         : in  std_logic;
    arready         : out std_logic;
    rdata           : out std_logic_vector(31 downto 0);
    rresp           : out std_logic_vector(1 downto 0);
    rvalid          : out std_logic;
    rready          : in  std_logic;
    -- The queue as the driver set it up; it may be worked on while `run` is high.
    ring_desc       : out unsigned(63 downto 0);
    ring_driver     : out unsigned(63 downto 0);
    ring_device     : out unsigned(63 downto 0);
    ring_size       : out unsigned(15 downto 0);
    queue_vector    : out std_logic_vector(15 downto 0);
    config_vector   : out std_logic_vector(15 downto 0);
    run             : out std_logic;
    kick            : out std_logic;
    -- A reset lasts from `halt` until `halted`.
    halt            : out std_logic;
    halted          : in  std_logic;
    broken          : in  std_logic;
    broken_told     : out std_logic;
    used_something  : in  std_logic;
    line            : out std_logic
  );
end entity;

architecture rtl of sapling_regs is
  constant OFFERED_HIGH : std_logic_vector(31 downto 0) := x"00000001";  -- VERSION_1
  constant NO_VECTOR    : std_logic_vector(15 downto 0) := x"FFFF";
  constant FEATURES_OK  : natural := 3;
  constant DRIVER_OK    : natural := 2;
  constant NEEDS_RESET  : natural := 6;

  subtype word_t is std_logic_vector(31 downto 0);
  type features_t is array (0 to 1) of word_t;
  type words_t is array (0 to 5) of word_t;  -- desc, driver, device: low and high halves

  signal device_select, driver_select : word_t;
  signal accepted                     : features_t;
  signal rings                        : words_t;
  signal sel, size, vector, vector_config : std_logic_vector(15 downto 0);
  signal status, isr                  : std_logic_vector(7 downto 0);
  signal enabled, resetting           : std_logic;
  signal write_now, read_now          : std_logic;
  signal bvalid_q, rvalid_q           : std_logic;
  signal mine                         : std_logic;
  signal common_word                  : word_t;

  function merged(old, data : word_t; strobes : std_logic_vector(3 downto 0)) return word_t is
    variable result : word_t := old;
  begin
    for i in 0 to 3 loop
      if strobes(i) = '1' then
        result(8 * i + 7 downto 8 * i) := data(8 * i + 7 downto 8 * i);
      end if;
    end loop;
    return result;
  end function;

  function checked(wanted : std_logic_vector(15 downto 0)) return std_logic_vector is
  begin
    if unsigned(wanted) < Vectors then
      return wanted;
    end if;
    return NO_VECTOR;
  end function;

  function is_common(address : std_logic_vector(15 downto 0)) return boolean is
  begin
    return unsigned(address(15 downto 6)) = 0;
  end function;
begin
  write_now <= awvalid and wvalid and not bvalid_q;
  read_now  <= arvalid and not rvalid_q;
  awready   <= write_now;
  wready    <= write_now;
  arready   <= read_now;
  bvalid    <= bvalid_q;
  rvalid    <= rvalid_q;
  bresp     <= "00";
  rresp     <= "00";

  mine          <= '1' when unsigned(sel) = 0 else '0';
  ring_desc     <= unsigned(std_logic_vector'(rings(1) & rings(0)));
  ring_driver   <= unsigned(std_logic_vector'(rings(3) & rings(2)));
  ring_device   <= unsigned(std_logic_vector'(rings(5) & rings(4)));
  ring_size     <= unsigned(size);
  queue_vector  <= vector;
  config_vector <= vector_config;
  run           <= status(DRIVER_OK) and not status(NEEDS_RESET) and enabled and not resetting;
  halt          <= resetting;
  line          <= '0' when unsigned(isr) = 0 else '1';

  -- What the addressed word of the common structure reads.
  reading : process (all)
    variable place : natural range 0 to 15;
  begin
    place := to_integer(unsigned(araddr(5 downto 2)));
    common_word <= (others => '0');
    case place is
      when 0 => common_word <= device_select;
      when 1 =>
        if unsigned(device_select) = 1 then
          common_word <= OFFERED_HIGH;
        end if;
      when 2 => common_word <= driver_select;
      when 3 =>
        if unsigned(driver_select) = 0 then
          common_word <= accepted(0);
        elsif unsigned(driver_select) = 1 then
          common_word <= accepted(1);
        end if;
      when 4 => common_word <= x"0001" & vector_config;
      when 5 => common_word <= sel & x"00" & status;
      when 6 =>
        common_word <= NO_VECTOR & x"0000";
        if mine = '1' then
          common_word <= vector & size;
        end if;
      when 7 => common_word(0) <= mine and enabled;
      when 8 to 13 =>
        if mine = '1' then
          common_word <= rings(place - 8);
        end if;
      when others => null;
    end case;
  end process;

  answering : process (clk)
    variable place : natural range 0 to 15;
    variable next_status : std_logic_vector(7 downto 0);
  begin
    if rising_edge(clk) then
      kick        <= '0';
      broken_told <= '0';
      if bready = '1' then
        bvalid_q <= '0';
      end if;
      if rready = '1' then
        rvalid_q <= '0';
      end if;

      if read_now = '1' then
        rvalid_q <= '1';
        rdata    <= (others => '0');
        if is_common(araddr) then
          rdata <= common_word;
        elsif unsigned(araddr(15 downto 2)) = 16#20# then
          rdata(7 downto 0) <= isr;
          isr               <= (others => '0');
        end if;
      end if;

      if used_something = '1' then
        isr(0) <= '1';
      end if;
      if broken = '1' and status(DRIVER_OK) = '1' and status(NEEDS_RESET) = '0' then
        status(NEEDS_RESET) <= '1';
        isr(1)              <= '1';
        broken_told         <= '1';
      end if;

      if write_now = '1' then
        bvalid_q <= '1';
        if awaddr(12) = '1' then
          kick <= '1';
        end if;
      end if;

      if write_now = '1' and is_common(awaddr) then
        place := to_integer(unsigned(awaddr(5 downto 2)));
        case place is
          when 0 => device_select <= merged(device_select, wdata, wstrb);
          when 2 => driver_select <= merged(driver_select, wdata, wstrb);
          when 3 =>
            if status(FEATURES_OK) = '0' then
              if unsigned(driver_select) = 0 then
                accepted(0) <= merged(accepted(0), wdata, wstrb);
              elsif unsigned(driver_select) = 1 then
                accepted(1) <= merged(accepted(1), wdata, wstrb);
              end if;
            end if;
          when 4 =>
            if wstrb(0) = '1' then
              vector_config <= checked(wdata(15 downto 0));
            end if;
          when 5 =>
            if wstrb(0) = '1' and unsigned(wdata(7 downto 0)) = 0 then
              resetting <= '1';
            elsif wstrb(0) = '1' and resetting = '0' then
              next_status := wdata(7 downto 0);
              next_status(5 downto 4) := "00";  -- SUSPEND is not offered
              next_status(NEEDS_RESET) := status(NEEDS_RESET) or broken;
              next_status(FEATURES_OK) := status(FEATURES_OK);
              if unsigned(accepted(0)) = 0 and accepted(1) = OFFERED_HIGH then
                next_status(FEATURES_OK) := wdata(FEATURES_OK) or status(FEATURES_OK);
              end if;
              status <= next_status;
            end if;
            if wstrb(2) = '1' then
              sel <= wdata(31 downto 16);
            end if;
          when 6 =>
            if mine = '1' and enabled = '0' and wstrb(0) = '1' then
              size <= wdata(15 downto 0);
            end if;
            if mine = '1' and wstrb(2) = '1' then
              vector <= checked(wdata(31 downto 16));
            end if;
          when 7 =>
            if mine = '1' and wstrb(0) = '1' and wdata(0) = '1' then
              enabled <= '1';
            end if;
          when 8 to 13 =>
            if mine = '1' and enabled = '0' then
              rings(place - 8) <= merged(rings(place - 8), wdata, wstrb);
            end if;
          when others => null;
        end case;
      end if;

      -- A reset is over once nothing of the queue is on the bus any more.
      if rst_n = '0' or (resetting = '1' and halted = '1') then
        device_select <= (others => '0');
        driver_select <= (others => '0');
        accepted      <= (others => (others => '0'));
        rings         <= (others => (others => '0'));
        sel           <= (others => '0');
        status        <= (others => '0');
        isr           <= (others => '0');
        enabled       <= '0';
        resetting     <= '0';
        size          <= std_logic_vector(to_unsigned(QueueSize, 16));
        vector        <= NO_VECTOR;
        vector_config <= NO_VECTOR;
      end if;
      if rst_n = '0' then
        bvalid_q <= '0';
        rvalid_q <= '0';
      end if;
    end if;
  end process;
end architecture;
