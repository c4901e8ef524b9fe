/** The schema "certus" as the database describes itself: `UPDATE_DOCS=1 deno test -A tests/docs/types_test.ts` writes it. */

export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];

export type Database = {
  certus: {
    Tables: {
      account_members: {
        Row: {
          account_id: string;
          user_id: string;
          org_id: string;
          role: string;
          created_at: string;
        };
        Insert: {
          account_id: string;
          user_id: string;
          role: string;
        };
        Update: {
          role?: string;
        };
        Relationships: [];
      };
      accounts: {
        Row: {
          id: string;
          org_id: string;
          name: string;
          currency: string;
          created_at: string;
        };
        Insert: {
          id?: string;
          org_id: string;
          name: string;
          currency?: string;
        };
        Update: {
          name?: string;
          currency?: string;
        };
        Relationships: [];
      };
      api_keys: {
        Row: {
          id: string;
          account_id: string;
          name: string;
          hint: string;
          created_by: string | null;
          created_at: string;
          expires_at: string | null;
          last_used_at: string | null;
          revoked_at: string | null;
        };
        Insert: {
          account_id: string;
          name: string;
          hint: string;
          expires_at?: string | null;
        };
        Update: {
          name?: string;
          revoked_at?: string | null;
        };
        Relationships: [];
      };
      internal_notes: {
        Row: {
          id: string;
          account_id: string;
          location_id: string;
          call_id: string | null;
          author_id: string | null;
          body: string;
          mentions: string[];
          created_at: string;
          updated_at: string;
        };
        Insert: {
          account_id: string;
          location_id: string;
          call_id?: string | null;
          body: string;
          mentions?: string[];
        };
        Update: {
          body?: string;
          mentions?: string[];
        };
        Relationships: [];
      };
      knowledge_update_requests: {
        Row: {
          id: string;
          account_id: string;
          location_id: string | null;
          requested_by: string | null;
          subject: string;
          body: string;
          status: string;
          attempts: number;
          claimed_until: string | null;
          resolution: string | null;
          created_at: string;
          finished_at: string | null;
        };
        Insert: {
          account_id: string;
          location_id?: string | null;
          subject: string;
          body: string;
        };
        Update: Record<string, never>;
        Relationships: [];
      };
      locations: {
        Row: {
          id: string;
          account_id: string;
          code: string;
          name: string;
          time_zone: string;
          avg_spend_per_head: number;
          created_at: string;
        };
        Insert: {
          id?: string;
          account_id: string;
          code: string;
          name: string;
          time_zone?: string;
          avg_spend_per_head?: number;
        };
        Update: {
          code?: string;
          name?: string;
          time_zone?: string;
          avg_spend_per_head?: number;
        };
        Relationships: [];
      };
      member_locations: {
        Row: {
          account_id: string;
          user_id: string;
          location_id: string;
          created_at: string;
        };
        Insert: {
          account_id: string;
          user_id: string;
          location_id: string;
        };
        Update: Record<string, never>;
        Relationships: [];
      };
      settings: {
        Row: {
          id: string;
          account_id: string;
          location_id: string | null;
          business_hours: Json | null;
          busy_mode: boolean;
          busy_extra_wait_seconds: number | null;
          voice: Json | null;
          updated_at: string;
        };
        Insert: {
          account_id: string;
          location_id?: string | null;
          business_hours?: Json | null;
          busy_mode?: boolean;
          busy_extra_wait_seconds?: number | null;
          voice?: Json | null;
        };
        Update: {
          business_hours?: Json | null;
          busy_mode?: boolean;
          busy_extra_wait_seconds?: number | null;
          voice?: Json | null;
        };
        Relationships: [];
      };
    };
    Views: {
      calls_report: {
        Row: {
          id: string;
          account_id: string | null;
          location_id: string | null;
          external_id: string | null;
          location: string | null;
          location_name: string | null;
          started_at: string | null;
          local_date: string | null;
          ended_at: string | null;
          duration_seconds: number | null;
          status: string | null;
          call_type: string | null;
          caller_name: string | null;
          caller_phone: string | null;
          summary_md: string | null;
          recording_url: string | null;
        };
        Relationships: [];
      };
      calls_v: {
        Row: {
          id: string;
          account_id: string;
          location_id: string;
          external_id: string;
          started_at: string;
          ended_at: string | null;
          status: string;
          call_type: string;
          duration_seconds: number | null;
          caller_name: string | null;
          caller_phone: string | null;
          summary_md: string | null;
          transcript_md: string | null;
          recording_url: string | null;
        };
        Relationships: [];
      };
      metrics_daily_report: {
        Row: {
          account_id: string | null;
          location_id: string | null;
          location: string | null;
          location_name: string | null;
          local_date: string | null;
          total_calls: number | null;
          order_calls: number | null;
          reservation_calls: number | null;
          catering_calls: number | null;
          general_calls: number | null;
          other_calls: number | null;
          orders_count: number | null;
          reservations_count: number | null;
          total_revenue_orders: number | null;
          total_revenue_res_estimate: number | null;
          minutes_saved: number | null;
        };
        Relationships: [];
      };
      metrics_daily_v: {
        Row: {
          account_id: string | null;
          location_id: string | null;
          local_date: string | null;
          total_calls: number | null;
          order_calls: number | null;
          reservation_calls: number | null;
          catering_calls: number | null;
          general_calls: number | null;
          other_calls: number | null;
          orders_count: number | null;
          reservations_count: number | null;
          total_revenue_orders: number | null;
          total_revenue_res_estimate: number | null;
          minutes_saved: number | null;
        };
        Relationships: [];
      };
      order_updates_v: {
        Row: {
          id: string;
          order_id: string;
          location_id: string;
          created_at: string;
          status: string;
          note: string | null;
        };
        Relationships: [];
      };
      orders_report: {
        Row: {
          id: string;
          account_id: string | null;
          location_id: string | null;
          external_id: string | null;
          location: string | null;
          location_name: string | null;
          created_at: string | null;
          local_date: string | null;
          status: string | null;
          fulfillment_type: string | null;
          customer_name: string | null;
          customer_phone: string | null;
          subtotal_amount: number | null;
          tax_amount: number | null;
          service_charge_amount: number | null;
          delivery_amount: number | null;
          total_amount: number | null;
          currency: string;
        };
        Relationships: [];
      };
      orders_v: {
        Row: {
          id: string;
          account_id: string;
          location_id: string;
          call_id: string | null;
          external_id: string;
          created_at: string;
          status: string;
          fulfillment_type: string;
          customer_name: string | null;
          customer_phone: string | null;
          subtotal_amount: number;
          tax_amount: number;
          service_charge_amount: number;
          delivery_amount: number;
          total_amount: number;
        };
        Relationships: [];
      };
      reservations_v: {
        Row: {
          id: string;
          account_id: string;
          location_id: string;
          call_id: string | null;
          external_id: string;
          created_at: string;
          reservation_at: string;
          status: string;
          guest_count: number;
          customer_name: string | null;
          customer_phone: string | null;
          avg_spend_per_head_override: number | null;
          estimated_revenue: number | null;
          notes: string | null;
        };
        Relationships: [];
      };
      upsells_v: {
        Row: {
          id: string;
          order_id: string;
          location_id: string;
          created_at: string;
          item: string;
          quantity: number;
          amount: number;
          accepted: boolean;
        };
        Relationships: [];
      };
    };
    Functions: {
      admin_accounts: {
        Args: Record<string, never>;
        Returns: string[];
      };
      authorize_export: {
        Args: {
          p_filters: Json;
        };
        Returns: string;
      };
      authorize_import: {
        Args: {
          p_scope: Json;
        };
        Returns: string;
      };
      caller_accounts: {
        Args: Record<string, never>;
        Returns: {
          account_id: string;
          role: string;
        }[];
      };
      export_rights: {
        Args: {
          p_filters: Json;
        };
        Returns: string;
      };
      get_call_detail: {
        Args: {
          p_call_id: string;
        };
        Returns: Json;
      };
      get_metrics_daily: {
        Args: {
          p_account_id: string;
          p_from: string;
          p_to: string;
          p_location_ids?: string[];
        };
        Returns: {
          local_date: string;
          total_calls: number;
          order_calls: number;
          reservation_calls: number;
          catering_calls: number;
          general_calls: number;
          other_calls: number;
          orders_count: number;
          reservations_count: number;
          total_revenue_orders: number;
          total_revenue_res_estimate: number;
          minutes_saved: number;
        }[];
      };
      list_recent_calls: {
        Args: {
          p_account_id: string;
          p_location_ids?: string[];
          p_status?: string;
          p_call_type?: string;
          p_before?: string;
          p_before_id?: string;
          p_limit?: number;
        };
        Returns: Database["certus"]["Views"]["calls_v"]["Row"][];
      };
      mask_phone: {
        Args: {
          p_phone: string;
        };
        Returns: string;
      };
      may_import: {
        Args: Record<string, never>;
        Returns: boolean;
      };
      operable_locations: {
        Args: Record<string, never>;
        Returns: string[];
      };
      readable_accounts: {
        Args: Record<string, never>;
        Returns: string[];
      };
      readable_locations: {
        Args: Record<string, never>;
        Returns: string[];
      };
      set_busy_mode: {
        Args: {
          p_location_id: string;
          p_busy: boolean;
          p_extra_wait_seconds?: number;
        };
        Returns: Database["certus"]["Tables"]["settings"]["Row"];
      };
    };
  };
};
