-- Bus master of Sapling: walks the split ring one buffer at a time and fills buffers with noise.
--
-- AXI4 of 32 bits, one transaction at a time. An interrupt is requested once the used index is known to
-- be in memory, and nothing goes on before it is acknowledged.
library ieee;
use ieee.std_logic_1164.all;
use ieee.numeric_std.all;

entity sapling_dma is
  port (
    clk             : in  std_logic;
    rst_n           : in  std_logic;
    ring_desc       : in  unsigned(63 downto 0);
    ring_driver     : in  unsigned(63 downto 0);
    ring_device     : in  unsigned(63 downto 0);
    ring_size       : in  unsigned(15 downto 0);
    queue_vector    : in  std_logic_vector(15 downto 0);
    config_vector   : in  std_logic_vector(15 downto 0);
    run             : in  std_logic;
    kick            : in  std_logic;
    halt            : in  std_logic;
    halted          : out std_logic;
    broken          : out std_logic;
    broken_told     : in  std_logic;
    used_something  : out std_logic;
    irq_request     : out std_logic;
    irq_vector      : out std_logic_vector(15 downto 0);
    irq_acknowledge : in  std_logic;
    awaddr          : out std_logic_vector(63 downto 0);
    awlen           : out std_logic_vector(7 downto 0);
    awsize          : out std_logic_vector(2 downto 0);
    awvalid         : out std_logic;
    awready         : in  std_logic;
    wdata           : out std_logic_vector(31 downto 0);
    wstrb           : out std_logic_vector(3 downto 0);
    wlast           : out std_logic;
    wvalid          : out std_logic;
    wready          : in  std_logic;
    bresp           : in  std_logic_vector(1 downto 0);
    bvalid          : in  std_logic;
    araddr          : out std_logic_vector(63 downto 0);
    arlen           : out std_logic_vector(7 downto 0);
    arsize          : out std_logic_vector(2 downto 0);
    arvalid         : out std_logic;
    arready         : in  std_logic;
    rdata           : in  std_logic_vector(31 downto 0);
    rresp           : in  std_logic_vector(1 downto 0);
    rlast           : in  std_logic;
    rvalid          : in  std_logic
  );
end entity;

architecture rtl of sapling_dma is
  constant FLAG_NEXT     : natural := 0;
  constant FLAG_WRITE    : natural := 1;
  constant FLAG_INDIRECT : natural := 2;
  constant NO_VECTOR     : std_logic_vector(15 downto 0) := x"FFFF";
  constant TWO_BYTES     : std_logic_vector(2 downto 0) := "001";
  constant FOUR_BYTES    : std_logic_vector(2 downto 0) := "010";

  type step_t is (Idle, Index, Head, Descriptor, Fill, UsedElement, UsedIndex, Flags, Dead);
  type table_t is array (0 to 3) of std_logic_vector(31 downto 0);

  signal step                    : step_t;
  signal busy, faulty, kicked    : std_logic;
  signal irq_pending, config_due : std_logic;
  signal awvalid_q, wvalid_q, arvalid_q : std_logic;
  signal half_select             : std_logic;
  signal seen, head_q, count     : unsigned(15 downto 0);
  signal table                   : table_t;
  signal last                    : std_logic_vector(31 downto 0);
  signal beat                    : unsigned(1 downto 0);
  signal position                : unsigned(63 downto 0);
  signal left, filled            : unsigned(31 downto 0);
  signal noise                   : std_logic_vector(31 downto 0);
begin
  awvalid <= awvalid_q;
  wvalid  <= wvalid_q;
  arvalid <= arvalid_q;
  irq_request <= irq_pending;
  halted  <= not busy and not irq_pending;
  broken  <= '1' when step = Dead else '0';

  working : process (clk)
    variable half             : unsigned(15 downto 0);
    variable slot             : unsigned(15 downto 0);
    variable room, part       : natural range 0 to 4;
    variable chained          : unsigned(15 downto 0);

    procedure read(address : unsigned(63 downto 0); size : std_logic_vector; beats : natural) is
    begin
      araddr      <= std_logic_vector(address);
      arsize      <= size;
      arlen       <= std_logic_vector(to_unsigned(beats - 1, 8));
      arvalid_q   <= '1';
      half_select <= address(1);
      beat        <= "00";
      busy        <= '1';
    end procedure;

    procedure write(
      address : unsigned(63 downto 0);
      size    : std_logic_vector;
      beats   : natural;
      data    : std_logic_vector;
      strobes : std_logic_vector
    ) is
    begin
      awaddr    <= std_logic_vector(address);
      awsize    <= size;
      awlen     <= std_logic_vector(to_unsigned(beats - 1, 8));
      awvalid_q <= '1';
      wdata     <= data;
      wstrb     <= strobes;
      wvalid_q  <= '1';
      busy      <= '1';
      wlast     <= '0';
      if beats = 1 then
        wlast <= '1';
      end if;
    end procedure;

    procedure read_descriptor(number : unsigned(15 downto 0)) is
    begin
      if number < ring_size then
        step <= Descriptor;
        read(ring_desc + shift_left(resize(number, 64), 4), FOUR_BYTES, 4);
      else
        step <= Dead;
      end if;
    end procedure;
  begin
    if rising_edge(clk) then
      noise          <= noise(30 downto 0) & (noise(31) xor noise(21) xor noise(1) xor noise(0));
      used_something <= '0';
      if awvalid_q = '1' and awready = '1' then
        awvalid_q <= '0';
      end if;
      if arvalid_q = '1' and arready = '1' then
        arvalid_q <= '0';
      end if;
      if wvalid_q = '1' and wready = '1' then
        wvalid_q <= '0';
        if step = UsedElement and wlast = '0' then
          wdata    <= std_logic_vector(filled);
          wvalid_q <= '1';
          wlast    <= '1';
        end if;
      end if;
      if kick = '1' then
        kicked <= '1';
      end if;
      if broken_told = '1' then
        config_due <= '1';
      end if;
      if rvalid = '1' then
        table(to_integer(beat)) <= rdata;
        last                    <= rdata;
        beat                    <= beat + 1;
      end if;
      if (rvalid = '1' and rlast = '1') or bvalid = '1' then
        busy <= '0';
      end if;
      if (rvalid = '1' and rresp /= "00") or (bvalid = '1' and bresp /= "00") then
        faulty <= '1';
      end if;

      half := unsigned(last(15 downto 0));
      if half_select = '1' then
        half := unsigned(last(31 downto 16));
      end if;
      slot := seen and (ring_size - 1);

      if irq_pending = '1' then
        if irq_acknowledge = '1' then
          irq_pending <= '0';
        end if;
      elsif config_due = '1' then
        config_due <= '0';
        irq_vector <= config_vector;
        if config_vector /= NO_VECTOR then
          irq_pending <= '1';
        end if;
      elsif busy = '0' and faulty = '1' then
        faulty <= '0';
        step   <= Dead;
      elsif run = '1' and busy = '0' then
        case step is
          when Idle =>
            if kicked = '1' then
              kicked <= kick;
              step   <= Index;
              read(ring_driver + 2, TWO_BYTES, 1);
            end if;
          when Index =>
            step <= Idle;
            if half - seen > ring_size then
              step <= Dead;
            elsif half /= seen then
              step <= Head;
              read(ring_driver + 4 + shift_left(resize(slot, 64), 1), TWO_BYTES, 1);
            end if;
          when Head =>
            head_q <= half;
            count  <= (others => '0');
            filled <= (others => '0');
            read_descriptor(half);
          when Descriptor =>
            position <= unsigned(std_logic_vector'(table(1) & table(0)));
            left     <= (others => '0');
            count    <= count + 1;
            if table(3)(FLAG_WRITE) = '1' then
              left <= unsigned(table(2));
            end if;
            step <= Fill;
            if table(3)(FLAG_INDIRECT) = '1' or count >= ring_size then
              step <= Dead;
            end if;
          when Fill =>
            room := 4 - to_integer(position(1 downto 0));
            part := room;
            if left < room then
              part := to_integer(left(2 downto 0));
            end if;
            chained := unsigned(table(3)(31 downto 16));
            if left /= 0 then
              write(position(63 downto 2) & "00", FOUR_BYTES, 1, noise,
                    std_logic_vector(shift_left(shift_right(unsigned'("1111"), 4 - part),
                                                to_integer(position(1 downto 0)))));
              position <= position + part;
              left     <= left - part;
              filled   <= filled + part;
            elsif table(3)(FLAG_NEXT) = '1' then
              read_descriptor(chained);
            else
              step <= UsedElement;
              write(ring_device + 4 + shift_left(resize(slot, 64), 3), FOUR_BYTES, 2,
                    x"0000" & std_logic_vector(head_q), "1111");
            end if;
          when UsedElement =>
            step <= UsedIndex;
            seen <= seen + 1;
            if ring_device(1) = '1' then
              write(ring_device + 2, TWO_BYTES, 1, x"0000" & std_logic_vector(seen + 1), "0011");
            else
              write(ring_device + 2, TWO_BYTES, 1, std_logic_vector(seen + 1) & x"0000", "1100");
            end if;
          when UsedIndex =>
            step <= Flags;
            read(ring_driver, TWO_BYTES, 1);
          when Flags =>
            if half(0) = '0' then
              used_something <= '1';
              irq_vector     <= queue_vector;
              if queue_vector /= NO_VECTOR then
                irq_pending <= '1';
              end if;
            end if;
            step <= Index;
            read(ring_driver + 2, TWO_BYTES, 1);
          when others => null;
        end case;
      end if;

      if rst_n = '0' or (halt = '1' and busy = '0' and irq_pending = '0') then
        step       <= Idle;
        kicked     <= '0';
        seen       <= (others => '0');
        config_due <= '0';
      end if;
      if rst_n = '0' then
        busy        <= '0';
        faulty      <= '0';
        awvalid_q   <= '0';
        wvalid_q    <= '0';
        arvalid_q   <= '0';
        irq_pending <= '0';
        noise       <= x"9E3779B9";
      end if;
    end if;
  end process;
end architecture;
